// pages.mjs - every page there is, by a name and its address; ids are what fill() gave.
export const pages = (ids) => ({
  overview: './',
  'overview of a domain and its subdomains by week': './?domain=example.com&subdomains=1&window=1y',
  domains: './domains',
  domain: `./domain?name=${ids.domain}&domain=${ids.domain}`,
  sources: './sources',
  'failing sources of a domain': './sources?domain=example.com&result=fail&sort=-fail',
  'sources by rdns': './sources?group=rdns',
  'sources by asn': './sources?group=asn',
  'sources by country': './sources?group=country',
  'sources by ip': './sources?group=ip',
  'sources by auth domain': './sources?group=auth_domain',
  source: `./source?key=${ids.source}`,
  labels: './labels',
  ip: `./ip?ip=${ids.ip}`,
  network: './ip?ip=198.51.100.0/24',
  records: './records?domain=example.com',
  'records of a source that fail': './records?ip=198.51.100.42&result=fail',
  reports: './reports',
  report: `./report?id=${ids.report}`,
  reporters: './reporters',
  failures: './failures',
  failure: `./failure?id=${ids.failure}`,
  tls: './tls',
  tlsreport: `./tlsreport?id=${ids.tlsreport}`,
  intake: './intake',
  'all of intake': './intake?status=stored&status=duplicate&status=conflict&status=quarantined&kind=tls',
  help: './help?domain=example.com',
  'nothing that matches': './sources?ip=192.0.2.123',
  'an unknown report': './report?id=999999999',
});

// What Chromium itself says on its console of a request that fails.
export const EXPECTED = { 'an unknown report': /status of 404/ };

// Those of which a picture is taken, by the picture's name.
export const PICTURES = ['overview', 'domains', 'domain', 'sources', 'source', 'labels', 'ip', 'records', 'reports', 'report', 'reporters', 'failures', 'failure', 'tls', 'tlsreport', 'intake', 'help'];
