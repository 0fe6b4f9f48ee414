// domains.tsx - not written yet.
import type { PageEntry } from '.';

export const domains: PageEntry = { path: 'domains', title: 'Domains', nav: true, view: () => <h1 tabIndex={-1}>Domains</h1> };
