// index.ts - the list of pages; each is a file of its own in this folder.
import { domain } from './domain';
import { domains } from './domains';
import type { PageEntry } from './entry';
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

// In the order of the navigation.
export const PAGES: readonly PageEntry[] = [
  overview, domains, domain, sources, source, ip, records, reports, report, reporters, failures, failure, tls, tlsreport, intake, help,
];
