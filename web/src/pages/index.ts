// index.ts - which pages there are; a page is a file that exports one of these.
import type { FunctionComponent } from 'preact';
import { intake } from './intake';
import { overview } from './overview';
import { records } from './records';
import { report } from './report';
import { reports } from './reports';
import { sources } from './sources';

export interface PageEntry {
  path: string; // one level deep: '' or 'sources'
  title: string; // in the navigation, and in the browser's title
  nav: boolean;
  view: FunctionComponent;
}

export const PAGES: readonly PageEntry[] = [overview, sources, records, reports, report, intake];
