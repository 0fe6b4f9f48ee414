// theme.ts - sets the chosen theme before the first paint; loaded by itself in <head>, since the CSP allows nothing inline.
try {
  const theme = localStorage.getItem('ruad.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
} catch {
  // storage is forbidden: the system's theme it is
}
