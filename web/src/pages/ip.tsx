// ip.tsx - not written yet.
import type { PageEntry } from '.';

export const ip: PageEntry = { path: 'ip', title: 'Address', nav: false, id: 'ip', view: () => <h1 tabIndex={-1}>Address</h1> };
