// screenshots.mjs - a picture of each page, at two widths and in both themes; and of the first one before any report came.
//
//   node tests/browser/screenshots.mjs DIR [NAME...]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open, SIZES } from './browser.mjs';
import { pages, PICTURES } from './pages.mjs';
import { fill } from './reports.mjs';
import { server } from './server.mjs';

const [folder, ...wanted] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node tests/browser/screenshots.mjs DIR [NAME...]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const ruad = await server();
const browser = await launch();

async function take(name, address) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  for (const width of Object.keys(SIZES).map(Number))
    for (const theme of ['light', 'dark']) {
      const page = await open(browser, ruad.url, { width, theme });
      await page.show(address);
      await page.waitForTimeout(400);
      const path = join(folder, `${name}-${width}-${theme}.png`);
      await page.screenshot({ path, fullPage: true });
      console.log(path);
      for (const fault of await page.faults()) console.error(`${name}: ${fault}`);
      await page.context().close();
    }
}

try {
  if (ruad.own) await take('welcome', './');
  const all = pages(await fill(ruad, { days: 70, withHostile: false }));
  for (const name of PICTURES) await take(name, all[name]);
} finally {
  await browser.close();
  await ruad.stop();
}
