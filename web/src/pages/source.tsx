// source.tsx - not written yet.
import type { PageEntry } from '.';

export const source: PageEntry = { path: 'source', title: 'Source', nav: false, id: 'key', view: () => <h1 tabIndex={-1}>Source</h1> };
