// failures.tsx - not written yet.
import type { PageEntry } from '.';

export const failures: PageEntry = { path: 'failures', title: 'Failures', nav: true, feature: 'failures', view: () => <h1 tabIndex={-1}>Failures</h1> };
