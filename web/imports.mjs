// imports.mjs - the files of the page must not import each other in a cycle: the order in which modules load would then
// matter, and a file could not be read without the others. Looks at src/, or at the folder given.
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? fileURLToPath(new URL('src/', import.meta.url));
const files = (await readdir(root, { recursive: true })).filter((name) => /\.tsx?$/.test(name)).sort();

// The file that a relative import names.
function target(from, name) {
  const path = normalize(join(dirname(from), name));
  const found = files.find((file) => [`${path}.ts`, `${path}.tsx`, join(path, 'index.ts')].includes(file));
  if (!found) throw new Error(`${from} imports ${name}, which is no file of the page`);
  return found;
}

const imports = new Map();
for (const file of files) {
  const found = (await readFile(join(root, file), 'utf8')).matchAll(/^(?:import|export)\b[^;]*?\bfrom '(\.[^']*)'/gm);
  imports.set(file, [...found].map(([, name]) => target(file, name)));
}

const done = new Set();
let bad = 0;

// Follow the imports of a file; path is how it was reached.
function follow(file, path) {
  const at = path.indexOf(file);
  if (at >= 0) {
    console.error(`import cycle: ${[...path.slice(at), file].join(' -> ')}`);
    bad++;
  } else if (!done.has(file)) {
    for (const next of imports.get(file)) follow(next, [...path, file]);
    done.add(file);
  }
}

files.forEach((file) => follow(file, []));
console.log(`${files.length} files looked at, ${bad} import cycles`);
process.exit(bad || files.length === 0 ? 1 : 0);
