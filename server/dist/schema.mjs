// schema.mjs - the views of schema dmarc and their columns as roff, for ruad-schema(7).
//
//   node schema.mjs dmarc/*.sql >VIEWS
//
// Everything comes from the COMMENTs, which the database has, too (\d+ dmarc.records). A test compares both.
import { readFile } from 'node:fs/promises';
import { entry, heading, paragraph } from './roff.mjs';

const COMMENT = /^COMMENT ON (VIEW|COLUMN) dmarc\.([a-z_]+)(?:\.("?)([a-z_0-9]+)\3)? IS\s+((?:'(?:[^']|'')*'\s*)+);/gm;

// Adjacent literals are one text, as in SQL.
const textOf = (literals) => literals.replace(/'\s*\n\s*'/g, '').trim().slice(1, -1).replace(/''/g, "'");

const views = new Map();
for (const file of process.argv.slice(2)) {
  for (const [, kind, view, , column, literals] of (await readFile(file, 'utf8')).matchAll(COMMENT)) {
    if (!views.has(view)) views.set(view, { text: '', columns: [] });
    if (kind === 'VIEW') views.get(view).text = textOf(literals);
    else views.get(view).columns.push([column, textOf(literals)]);
  }
}
for (const [view, { text, columns }] of views) {
  process.stdout.write(heading(`dmarc.${view}`) + paragraph(text) + columns.map(([name, what]) => entry(name, what)).join(''));
}
