// texts.mjs - the texts of the help: checks that all languages have the same keys and that no text is empty, and writes
// each language in the form of the API (server/web/openapi.yaml: Help), which ruad-web serves.
//
//   node texts.mjs FOLDER [OUT]
//
// FOLDER has a file for each language (texts/en.json). Without OUT the texts are only checked.
//
// A file has topics. A topic has texts by key, in the order in which the page shows them. A text is a string, or an object
// if the key has a name that is shown and translated: {"term": "Days", "text": "A report counts on ..."}. The page fills in
// words in braces; {n:one|many} is the first word if n is 1, else the second.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MODEL = 'en'; // the language that the others are compared with
const [folder, out] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node texts.mjs FOLDER [OUT]');
  process.exit(2);
}
const faults = [];

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isText = (value) => typeof value === 'string' && value.trim() !== '' && value.trim() === value && !/[{}]/.test(value.replaceAll(/\{\w+(:[^|{}]*\|[^|{}]*)?\}/g, ''));

// The keys of a file in their order, each with the form of its text and the words that the page fills in.
function shape(topics) {
  return Object.entries(topics).flatMap(([topic, texts]) =>
    Object.entries(texts).map(([key, text]) => {
      const blanks = [...new Set((text.text ?? text).match(/\{\w+(?=[:}])/g) ?? [])];
      return [`${topic}: ${key}`, text.term && 'with a term', ...blanks.sort()].filter(Boolean).join(' ');
    }),
  );
}

// Whether each topic has texts, each of them in one of the two forms.
function wellFormed(name, topics) {
  const before = faults.length;
  for (const [topic, texts] of Object.entries(topics)) {
    if (!isObject(texts) || Object.keys(texts).length === 0) faults.push(`${name}: ${topic}: has no texts`);
    for (const [key, text] of Object.entries(isObject(texts) ? texts : {}))
      if (isObject(text) ? Object.keys(text).join() !== 'term,text' || !Object.values(text).every(isText) : !isText(text))
        faults.push(`${name}: ${topic}: ${key}: must be a text that is not empty, has no spaces around it, and has braces only as {n} or {n:one|many}`);
  }
  return before === faults.length;
}

function compare(name, found, wanted) {
  for (const item of wanted) if (!found.includes(item)) faults.push(`${name}: lacks "${item}" of ${MODEL}`);
  for (const item of found) if (!wanted.includes(item)) faults.push(`${name}: has "${item}", which ${MODEL} lacks`);
  if (faults.length === 0 && found.join('\n') !== wanted.join('\n')) faults.push(`${name}: its keys are not in the order of ${MODEL}`);
}

const names = (await readdir(folder)).map((file) => file.replace(/\.json$/, '')).sort();
const languages = new Map();
for (const name of names) {
  const topics = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
  if (wellFormed(name, topics)) languages.set(name, topics);
}
const model = languages.get(MODEL);
if (!model) faults.push(`${folder} has no texts in "${MODEL}"`);
else for (const [name, topics] of languages) compare(name, shape(topics), shape(model));
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);

if (out) await mkdir(out, { recursive: true });
for (const [lang, topics] of out ? languages : []) {
  const terms = (texts) => Object.entries(texts).map(([key, text]) => ({ term: text.term ?? key, text: text.text ?? text }));
  const answer = Object.fromEntries(Object.entries(topics).map(([topic, texts]) => [topic, terms(texts)]));
  await writeFile(join(out, `${lang}.json`), JSON.stringify({ lang, ...answer }));
}
