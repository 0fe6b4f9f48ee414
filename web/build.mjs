// build.mjs - turns src/ into the files that ruad-web embeds: index.html, assets/ with a hash in every name, and licences.txt.
//
//   node build.mjs OUT
//
// The same source gives the same bytes. Prints the size of all that a browser loads, packed by zopfli as ruad-web has it, and
// fails above BUDGET, so that a heavy dependency is noticed by whoever adds it.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minify } from 'terser';

const BUDGET = 40 * 1024; // bytes in gzip form, all files together
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

// One script of an entry and all that it imports; terser takes off what esbuild leaves, which is 2 %.
async function bundle(entry, format) {
  const { outputFiles } = await build({
    absWorkingDir: source,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format,
    target: ['es2022'],
    tsconfigRaw: {}, // its "jsx" would win over these
    jsx: 'transform', // smaller, packed, than what 'automatic' makes
    jsxFactory: 'h',
    jsxFragment: 'Fragment',
    inject: entry.endsWith('.tsx') ? ['jsx.ts'] : [],
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const { code } = await minify(outputFiles[0].text, { module: format === 'esm', ecma: 2020, compress: { passes: 3 } });
  return asset(entry.replace(/\.tsx?$/, ''), 'js', code);
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

const names = {
  ICON: icon,
  CSS: css,
  THEME: await bundle('theme.ts', 'iife'),
  APP: await bundle('app.tsx', 'esm'),
};
const html = (await text('index.html')).replace(/%([A-Z]+)%/g, (_, name) => `assets/${names[name]}`);
await writeFile(join(out, 'index.html'), html);

// The licences of all that is in it; Help links to them.
const licences = await Promise.all(['../LICENSE', 'node_modules/preact/LICENSE'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')));
await writeFile(join(out, 'licences.txt'), ['ruad', licences[0], 'Preact (https://preactjs.com), which the page contains', licences[1]].join('\n\n'));

let total = 0;
for (const file of ['index.html', ...(await readdir(join(out, 'assets'))).sort().map((name) => `assets/${name}`)]) {
  const { size } = await stat(join(out, file));
  const packed = packedSize(join(out, file));
  total += packed;
  console.log(`${file.padEnd(28)} ${String(size).padStart(7)} bytes  ${String(packed).padStart(6)} gzip`);
}
console.log(`${'all'.padEnd(28)} ${' '.repeat(14)} ${String(total).padStart(6)} gzip of ${BUDGET}`);
if (total > BUDGET) {
  console.error(`the page is ${total} bytes packed: more than its budget of ${BUDGET}`);
  process.exit(1);
}
