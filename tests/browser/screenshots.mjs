// screenshots.mjs - a picture of each page, at two widths and in both themes.
//
//   node tests/browser/screenshots.mjs DIR
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open } from './browser.mjs';
import { reports, unreadable } from './reports.mjs';
import { server } from './server.mjs';

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node tests/browser/screenshots.mjs DIR');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const ruad = await server();
const browser = await launch();
try {
  const views = {};
  if (ruad.own) views.welcome = './';
  const take = async (names) => {
    for (const [name, address] of Object.entries(names))
      for (const width of [1280, 390])
        for (const theme of ['light', 'dark']) {
          const page = await open(browser, ruad.url, { width, theme });
          await page.show(address);
          await page.waitForTimeout(400);
          const path = join(folder, `${name}-${width}-${theme}.png`);
          await page.screenshot({ path, fullPage: true });
          console.log(path);
          for (const fault of page.faults) console.error(`${name}: ${fault}`);
          await page.context().close();
        }
  };
  await take(views);
  if (ruad.lmtp) await ruad.deliver([...reports(70), unreadable()]);
  const { items } = await (await fetch(`${ruad.url}api/v1/reports?domain=example.com&limit=1`)).json();
  await take({
    overview: './',
    sources: './sources',
    records: './records?ip=198.51.100.42&result=fail',
    reports: './reports',
    report: `./report?id=${items[0].id}`,
    intake: './intake',
  });
} finally {
  await browser.close();
  await ruad.stop();
}
