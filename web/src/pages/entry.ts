// entry.ts - a page: how it is reached and what shows it.
import type { FunctionComponent } from 'preact';
import type { Meta } from '../api/types';

export interface PageEntry {
  path: string; // one level deep: '' or 'sources'
  title: string; // in the navigation, and in the browser's title
  nav: boolean; // is in the navigation; then, but for the first, the frame heads it with its title and what the help says
  feature?: keyof Meta['features']; // in the navigation only where there is any
  id?: string; // the parameter that names what the page is about: another one is another page, a changed filter is not
  view?: FunctionComponent; // else in others.ts
}
