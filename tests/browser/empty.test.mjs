// empty.test.mjs - before the first report: the page tells what to publish, and shows the first report once it is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, open, overflow, violations } from './browser.mjs';
import { reports, unreadable } from './reports.mjs';
import { server } from './server.mjs';

test('an empty database shows how to ask for reports, and the first one that comes', { timeout: 300_000, skip: process.env.RUAD_URL && 'needs a database of its own' }, async () => {
  const ruad = await server();
  const browser = await launch();
  try {
    for (const width of [1280, 390]) {
      const page = await open(browser, ruad.url, { width });
      await page.show('./');
      const text = await page.locator('main').innerText();
      assert.match(text, /No report received yet/);
      assert.match(text, /_dmarc\.example\.com\. TXT "v=DMARC1; p=none; rua=mailto:dmarc-sum@/);
      await page.getByLabel('Your domain').fill('my.example');
      await page.getByLabel('Host that receives the reports').fill('reports.example.net');
      assert.match(await page.locator('main').innerText(), /my\.example\._report\._dmarc\.reports\.example\.net\. TXT "v=DMARC1"/);
      assert.ok((await overflow(page)) <= 0);
      assert.deepEqual(await violations(page), []);
      for (const other of ['sources', 'records', 'reports', 'intake']) {
        await page.show(other);
        assert.ok((await page.locator('main').innerText()).length > 40);
        assert.ok((await overflow(page)) <= 0);
      }
      assert.deepEqual(await page.faults(), []);
      await page.context().close();
    }
    // Something comes that is no report: Intake shows it with its reason.
    await ruad.deliver([unreadable()]);
    const page = await open(browser, ruad.url);
    await page.show('./intake');
    assert.match(await page.locator('main').innerText(), /Unreadable\s+1\b/);
    assert.equal(await page.locator('section:has(.switch) tbody tr').count(), 1);
    // A first report, older than the usual window: the page leads to it.
    await ruad.deliver([reports(1, Date.now() - 100 * 86_400_000)[0]]);
    await page.show('./');
    await page.getByRole('link', { name: /^Show the 30 days up to it/ }).click();
    await page.settled();
    assert.match(await page.locator('.sentence').innerText(), /messages reported/);
    assert.deepEqual(await page.faults(), []);
  } finally {
    await browser.close();
    await ruad.stop();
  }
});
