// tlsreport.tsx - not written yet.
import type { PageEntry } from '.';

export const tlsreport: PageEntry = { path: 'tlsreport', title: 'TLS report', nav: false, id: 'id', view: () => <h1 tabIndex={-1}>TLS report</h1> };
