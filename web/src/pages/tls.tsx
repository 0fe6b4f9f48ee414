// tls.tsx - not written yet.
import type { PageEntry } from '.';

export const tls: PageEntry = { path: 'tls', title: 'TLS', nav: true, feature: 'tls', view: () => <h1 tabIndex={-1}>TLS</h1> };
