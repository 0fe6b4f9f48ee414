// index.ts - the list of pages. What the first one needs is loaded at once, the others by the first of them that is opened.
import type { PageEntry } from './entry';
import { Overview } from './overview';

// In the order of the navigation.
export const PAGES: readonly PageEntry[] = [
  { path: '', title: 'Overview', nav: true, view: Overview },
  { path: 'domains', title: 'Domains', nav: true },
  { path: 'domain', title: 'Domain', nav: false, id: 'name' },
  { path: 'sources', title: 'Sources', nav: true },
  { path: 'source', title: 'Source', nav: false, id: 'key' },
  { path: 'labels', title: 'Labels', nav: false },
  { path: 'ip', title: 'Address', nav: false, id: 'ip' },
  { path: 'records', title: 'Records', nav: true },
  { path: 'reports', title: 'Reports', nav: true },
  { path: 'report', title: 'Report', nav: false, id: 'id' },
  { path: 'reporters', title: 'Reporters', nav: true },
  { path: 'failures', title: 'Failures', nav: true, feature: 'failures' },
  { path: 'failure', title: 'Failure report', nav: false, id: 'id' },
  { path: 'tls', title: 'TLS', nav: true, feature: 'tls' },
  { path: 'tlsreport', title: 'TLS report', nav: false, id: 'id' },
  { path: 'intake', title: 'Intake', nav: true },
  { path: 'audit', title: 'Audit log', nav: false },
  { path: 'help', title: 'Help', nav: true },
];
