// jsx.ts - what JSX becomes calls of; build.mjs puts it before every file.
export { Fragment, h } from 'preact';
