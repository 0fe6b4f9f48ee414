// failure.tsx - not written yet.
import type { PageEntry } from '.';

export const failure: PageEntry = { path: 'failure', title: 'Failure report', nav: false, id: 'id', view: () => <h1 tabIndex={-1}>Failure report</h1> };
