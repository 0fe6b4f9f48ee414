// others.ts - the views of all pages but the first, by their path: a file of its own, which is loaded when one of them is opened.
import type { FunctionComponent } from 'preact';
import { Audit } from './audit';
import { DomainPage } from './domain';
import { Domains } from './domains';
import { FailurePage } from './failure';
import { Failures } from './failures';
import { Help } from './help';
import { IntakePage } from './intake';
import { IpPage } from './ip';
import { Labels } from './labels';
import { Records } from './records';
import { ReportPage } from './report';
import { Reporters } from './reporters';
import { Reports } from './reports';
import { SourcePage } from './source';
import { Sources } from './sources';
import { Tls } from './tls';
import { TlsReportPage } from './tlsreport';

export const VIEWS: Record<string, FunctionComponent> = {
  domains: Domains,
  domain: DomainPage,
  sources: Sources,
  source: SourcePage,
  labels: Labels,
  ip: IpPage,
  records: Records,
  reports: Reports,
  report: ReportPage,
  reporters: Reporters,
  failures: Failures,
  failure: FailurePage,
  tls: Tls,
  tlsreport: TlsReportPage,
  intake: IntakePage,
  audit: Audit,
  help: Help,
};
