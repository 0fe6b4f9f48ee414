// jsx.ts - the functions that JSX is compiled to; build.mjs puts it before every file.
export { Fragment, h } from 'preact';
