// api.mjs - the operations of the API and their parameters as roff, for ruad-api(7).
//
//   node api.mjs openapi.json >OPERATIONS
//
// The filters that most lists have are described once. Of an answer only the members' names are given: openapi.json has the rest.
import { readFile } from 'node:fs/promises';
import { entry, heading, paragraph } from './roff.mjs';

const document = JSON.parse(await readFile(process.argv[2], 'utf8'));
const resolve = (value) => (value?.$ref ? value.$ref.slice(2).split('/').reduce((at, name) => at[name], document) : value);

const filters = document.paths['/api/v1/summary'].get.parameters.map((parameter) => parameter.$ref);

// What a parameter may be: its words, or nothing where its description has to do.
const valuesOf = (schema) => {
  const { type, items, enum: words, default: initial } = resolve(schema);
  if (type === 'array') return valuesOf(items);
  if (!words) return '';
  const named = words.map((word) => word ?? 'null').join(', ');
  return initial ? `${named} (default: ${initial})` : named;
};

const sentence = (text) => (/[.:]$/.test(text) ? text : `${text}.`);
const describe = ({ name, description, schema }) => {
  const values = valuesOf(schema);
  if (!description && !values) throw new Error(`openapi.yaml: parameter "${name}" has neither a description nor values`);
  return [description && sentence(description), values && sentence(`Values: ${values}`)].filter(Boolean).join(' ');
};

// The members of an object, and of the items of its lists: "window, items (key, name), next".
const membersOf = (schema, deep = true) => {
  const { type, items, properties } = resolve(schema ?? {});
  if (type === 'array') return membersOf(items, deep);
  return Object.entries(properties ?? {})
    .map(([name, value]) => {
      const inner = deep && name === 'items' ? membersOf(value, false) : '';
      return inner ? `${name} (${inner})` : name;
    })
    .join(', ');
};

const parametersOf = (parameters) => {
  const names = parameters.map((parameter) => parameter.$ref);
  const hasFilters = filters.every((name) => names.includes(name));
  const others = parameters.filter((parameter) => !(hasFilters && filters.includes(parameter.$ref))).map((parameter) => resolve(parameter).name);
  return [hasFilters ? 'the filters' : '', ...others].filter(Boolean).join(', ');
};

const own = (parameters) => parameters.filter((parameter) => !parameter.$ref);

let out = '.SH FILTERS\nMost lists and sums have these parameters. A repeated parameter means "or", different ones mean "and".\n';
for (const name of filters) out += entry(resolve({ $ref: name }).name, describe(resolve({ $ref: name })));

out += '.SH OTHER PARAMETERS\nThese have the same meaning in each operation.\n';
for (const [key, parameter] of Object.entries(document.components.parameters)) {
  if (!filters.includes(`#/components/parameters/${key}`)) {
    out += entry(parameter.in === 'path' ? `{${parameter.name}}` : parameter.name, describe(parameter));
  }
}

out += '.SH OPERATIONS\n';
for (const [path, operations] of Object.entries(document.paths)) {
  for (const [method, { summary, description, parameters = [], requestBody, responses }] of Object.entries(operations)) {
    const content = responses[200].content;
    out += heading(`${method.toUpperCase()} ${path.slice(1)}`) + paragraph(sentence(summary) + (description ? ` ${sentence(description)}` : ''));
    if (parameters.length) out += `.PP\n${paragraph(`Parameters: ${sentence(parametersOf(parameters))}`)}`;
    for (const parameter of own(parameters)) out += entry(parameter.name, describe(parameter));
    const body = requestBody?.content;
    if (body) out += `.PP\n${paragraph(`Body: ${sentence(body['application/json'] ? membersOf(body['application/json'].schema) : Object.keys(body).join(', '))}`)}`;
    if (content['application/json']) {
      out += `.PP\n${paragraph(`Answer: ${sentence(membersOf(content['application/json'].schema))}`)}`;
    }
  }
}
process.stdout.write(out);
