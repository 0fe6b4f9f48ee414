// build.mjs - turns src/ into the files that ruad-web embeds: index.html, assets/ with a hash in every name, and licences.txt.
//
//   node build.mjs OUT
//
// The same source gives the same bytes. Prints the size of all that a browser loads, packed by zopfli as ruad-web has it, and
// fails if what the first view needs is above BUDGET, so that a heavy dependency is noticed by whoever adds it.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minify } from 'terser';

const BUDGET = 48 * 1024; // bytes in gzip form, of the files that Overview needs
const { version: terser } = JSON.parse(await readFile(new URL('node_modules/terser/package.json', import.meta.url), 'utf8'));
const out = process.argv[2] && resolve(process.argv[2]); // esbuild would take it from src/
if (!out) {
  console.error('usage: node build.mjs OUT');
  process.exit(2);
}
const source = fileURLToPath(new URL('src/', import.meta.url));

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();

async function asset(stem, extension, bytes) {
  const name = `${stem}.${hash(bytes)}.${extension}`;
  await writeFile(join(out, 'assets', name), bytes);
  return name;
}

// A script and all that it imports, in pieces where it imports by import(). terser takes off what esbuild leaves, which is 2 %; its
// version is in the banner so that the names, which esbuild makes, change with it.
async function scripts(entry, format) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: source,
    entryPoints: [entry],
    bundle: true,
    splitting: format === 'esm',
    outdir: join(out, 'assets'),
    entryNames: '[name].[hash]',
    chunkNames: '[name].[hash]',
    minify: true,
    write: false,
    metafile: true,
    format,
    target: ['es2022'],
    tsconfigRaw: {}, // its "jsx" would win over these
    jsx: 'transform', // smaller, packed, than what 'automatic' makes
    jsxFactory: 'h',
    jsxFragment: 'Fragment',
    inject: entry.endsWith('.tsx') ? ['jsx.ts'] : [],
    banner: { js: `/* terser ${terser} */` },
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) {
    const { code } = await minify(text, { module: format === 'esm', ecma: 2020, compress: { passes: 3 } });
    await writeFile(path, code);
  }
  const [[first, { imports }]] = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint === entry);
  return { name: basename(first), needs: imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => basename(path)) };
}

// What ruad-web sends: embed.cmake packs in the same way.
function packedSize(path) {
  const { error, status, stdout } = spawnSync('zopfli', ['-c', path]);
  if (error || status !== 0) throw error ?? new Error(`zopfli ${path}: exit code ${status}`);
  return stdout.length;
}

const text = (path) => readFile(join(source, path), 'utf8');

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'assets'), { recursive: true });
const icon = await asset('icon', 'svg', await text('icon.svg'));

// The style sheet is minified with esbuild's CSS loader as it stands: no lowering, browsers of 2024 read it.
const css = await build({
  absWorkingDir: source,
  entryPoints: ['style.css'],
  entryNames: 'app.[hash]',
  outdir: join(out, 'assets'),
  bundle: true,
  minify: true,
  metafile: true,
  logLevel: 'warning',
}).then(({ metafile }) => basename(Object.keys(metafile.outputs)[0]));

const theme = await scripts('theme.ts', 'iife');
const app = await scripts('app.tsx', 'esm');
const names = { ICON: icon, CSS: css, THEME: theme.name, APP: app.name };
const preloads = app.needs.map((name) => `<link rel="modulepreload" href="assets/${name}">`).join('\n');
const html = (await text('index.html')).replace(/%([A-Z]+)%/g, (_, name) => (name === 'PRELOADS' ? preloads : `assets/${names[name]}`));
await writeFile(join(out, 'index.html'), html);

// The licences of all that is in it; Help links to them.
const licences = await Promise.all(['../LICENSE', 'node_modules/preact/LICENSE'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')));
await writeFile(join(out, 'licences.txt'), ['ruad', licences[0], 'Preact (https://preactjs.com), which the page contains', licences[1]].join('\n\n'));

const first = new Set(['index.html', ...[icon, css, theme.name, app.name, ...app.needs].map((name) => `assets/${name}`)]);
let total = 0;
for (const file of ['index.html', ...(await readdir(join(out, 'assets'))).sort().map((name) => `assets/${name}`)]) {
  const { size } = await stat(join(out, file));
  const packed = packedSize(join(out, file));
  if (first.has(file)) total += packed;
  console.log(`${file.padEnd(28)} ${String(size).padStart(7)} bytes  ${String(packed).padStart(6)} gzip${first.has(file) ? '' : ', later'}`);
}
console.log(`${'the first view'.padEnd(28)} ${' '.repeat(14)} ${String(total).padStart(6)} gzip of ${BUDGET}`);
if (total > BUDGET) {
  console.error(`the first view is ${total} bytes packed: more than its budget of ${BUDGET}`);
  process.exit(1);
}
