// domain.tsx - not written yet.
import type { PageEntry } from '.';

export const domain: PageEntry = { path: 'domain', title: 'Domain', nav: false, id: 'name', view: () => <h1 tabIndex={-1}>Domain</h1> };
