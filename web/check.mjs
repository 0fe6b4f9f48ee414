// check.mjs - what tsc cannot see: the source holds nothing that a strict CSP with Trusted Types forbids,
// and nothing that leaves the page's own origin. Looks at src/, or at the folder given.
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ? process.argv[2].replace(/\/*$/, '/') : fileURLToPath(new URL('src/', import.meta.url));
const forbidden = [
  [/\b(?:inner|outer)HTML\b|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|DOMParser|createContextualFragment/, 'markup from strings'],
  [/\beval\s*\(|new\s+Function\b|\bimport\s*\((?!'\.\/[\w\/]+'\))/, 'code from strings'],
  [/\sstyle=(?:"|'|\{`)|setAttribute\(\s*['"]style/, 'style as a string (blocked by style-src)'],
  [/<style\b|<script(?![^>]*\ssrc=)|\son[a-z]+="/, 'inline style or script'],
  [/(?:fetch|import|src|url)\s*[=(]\s*['"`]?(?:https?:)?\/\//, 'a request to another origin'],
  [/(?:href|src|action)="\//, 'an absolute path (breaks under a prefix)'],
  [/[`"'(]\s*(?:javascript|data):/, 'a javascript: or data: URL'],
];

let bad = 0;
const files = (await readdir(root, { withFileTypes: true, recursive: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.replace('//', '/'));
for (const file of files.sort()) {
  (await readFile(file, 'utf8')).split('\n').forEach((line, index) => {
    for (const [pattern, what] of forbidden)
      if (pattern.test(line)) {
        console.error(`${file.slice(root.length)}:${index + 1}: ${what}: ${line.trim().slice(0, 100)}`);
        bad++;
      }
  });
}
console.log(`${files.length} files looked at, ${bad} findings`);
process.exit(bad || files.length === 0 ? 1 : 0);
