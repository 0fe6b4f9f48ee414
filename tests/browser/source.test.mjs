// source.test.mjs - the page's source: types hold, nothing a strict CSP forbids, and that check itself finds what it should.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../../web/', import.meta.url));

test('npm run check finds nothing in the source', () => {
  execFileSync(process.env.RUAD_NPM ?? 'npm', ['run', 'check'], { cwd: web, stdio: 'pipe' });
});

const BAD = {
  'innerHTML': "element.innerHTML = text;",
  'dangerouslySetInnerHTML': '<p dangerouslySetInnerHTML={{ __html: text }} />',
  'a style string': '<p style="color: red">',
  'a style template': '<p style={`color: ${x}`}>',
  'a foreign fetch': "fetch('https://example.net/x')",
  'a foreign image': '<img src="//example.net/x.png">',
  'an absolute path': '<a href="/sources">',
  'a script URL': 'const url = "javascript:alert(1)";',
  'eval': 'eval(text)',
  'an inline handler': '<p onclick="x()">',
};
for (const [name, line] of Object.entries(BAD))
  test(`the check refuses ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ruad-check-'));
    writeFileSync(join(folder, 'bad.tsx'), `${line}\n`);
    const { status, stderr } = spawnSync(process.execPath, ['check.mjs', folder], { cwd: web, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    assert.equal(status, 1);
    assert.match(stderr, /bad\.tsx:1: /);
  });

test('the lock file names no download host', () => {
  const lock = JSON.parse(execFileSync('cat', ['package-lock.json'], { cwd: web, encoding: 'utf8' }));
  for (const [name, entry] of Object.entries(lock.packages)) assert.equal(entry.resolved, undefined, name);
});
