// help.tsx - not written yet.
import type { PageEntry } from '.';

export const help: PageEntry = { path: 'help', title: 'Help', nav: true, view: () => <h1 tabIndex={-1}>Help</h1> };
