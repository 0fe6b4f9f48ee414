// reporters.tsx - not written yet.
import type { PageEntry } from '.';

export const reporters: PageEntry = { path: 'reporters', title: 'Reporters', nav: true, view: () => <h1 tabIndex={-1}>Reporters</h1> };
