// openapi.mjs - turns the contract of the API into the JSON that ruad-web serves as /openapi.json.
//
//   node openapi.mjs openapi.yaml OUT.json
//
// In the YAML, an object that lists properties means all of them and no others: "required" and "additionalProperties" are
// written out here, unless it says otherwise itself. What stands under components is named there again, instead of repeated.
import { readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';

const [source, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: node openapi.mjs openapi.yaml OUT.json');
  process.exit(2);
}
const document = parse(await readFile(source, 'utf8'), { merge: true, maxAliasCount: -1 });

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// A schema of an object, and no map of properties in which one is called "properties".
const listsProperties = (value) => isObject(value.properties) && [value.type].flat().includes('object');

// An anchor's object is the same wherever it is repeated: the place of each under components.
const named = new Map();
for (const room of ['parameters', 'responses']) {
  for (const [name, value] of Object.entries(document.components[room])) {
    named.set(value, `#/components/${room}/${name}`);
  }
}

const written = (value, isNamed) => {
  if (Array.isArray(value)) return value.map((item) => written(item));
  if (!isObject(value)) return value;
  if (!isNamed && named.has(value)) return { $ref: named.get(value) };
  const copy = {};
  for (const [name, member] of Object.entries(value)) {
    if (!name.startsWith('x-')) copy[name] = written(member);
  }
  if (listsProperties(value)) {
    copy.required ??= Object.keys(value.properties);
    copy.additionalProperties ??= false;
  }
  return copy;
};

const result = written(document);
for (const room of ['parameters', 'responses']) {
  for (const [name, value] of Object.entries(document.components[room])) {
    result.components[room][name] = written(value, true);
  }
}
await writeFile(out, JSON.stringify(result));
