// index.ts - which pages there are; a page is a file that exports one of these.
import type { FunctionComponent } from 'preact';
import type { Meta } from '../api';
import { domain } from './domain';
import { domains } from './domains';
import { failure } from './failure';
import { failures } from './failures';
import { help } from './help';
import { intake } from './intake';
import { ip } from './ip';
import { overview } from './overview';
import { records } from './records';
import { report } from './report';
import { reporters } from './reporters';
import { reports } from './reports';
import { source } from './source';
import { sources } from './sources';
import { tls } from './tls';
import { tlsreport } from './tlsreport';

export interface PageEntry {
  path: string; // one level deep: '' or 'sources'
  title: string; // in the navigation, and in the browser's title
  nav: boolean; // is in the navigation; then, but for the first, the frame heads it with its title and what the help says
  feature?: keyof Meta['features']; // in the navigation only where there is any
  id?: string; // the parameter that names what the page is about: another one is another page, a changed filter is not
  view: FunctionComponent;
}

// In the order of the navigation.
export const PAGES: readonly PageEntry[] = [
  overview, domains, domain, sources, source, ip, records, reports, report, reporters, failures, failure, tls, tlsreport, intake, help,
];
