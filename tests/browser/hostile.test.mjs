// hostile.test.mjs - what strangers wrote is only ever shown as text.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMIT, open, overflow } from './browser.mjs';
import { HOSTILE } from './reports.mjs';
import { setup } from './setup.mjs';

const here = setup();

describe('hostile text', { concurrency: false }, () => {
  test('markup, scripts, bidi overrides and endless names stay text', LIMIT, async () => {
    for (const width of [1280, 390]) {
      const page = await open(here.browser, here.ruad.url, { width });
      for (const address of [
        ...['./', './domains', './sources', './records', './reports', './reporters', './help'].map((one) => `${one}?domain=${HOSTILE}`),
        './intake', './failures', `./domain?name=${HOSTILE}`, './ip?ip=192.0.2.99', `./report?id=${here.ids.hostile}`,
      ]) {
        await page.show(address);
        await page.unfold();
        assert.equal(await page.evaluate(() => window.pwned), undefined);
        assert.equal(await page.locator('main img, main script, a[href^="javascript"]').count(), 0);
        assert.ok((await overflow(page)) <= 0, `${address} is wider than the window`);
        assert.doesNotMatch(await page.locator('body').innerText(), /[\u202a-\u202e\u2066-\u2069\u200b\u2028]/);
      }
      assert.match(await page.locator('main').innerText(), /<img src=x onerror=/);
      assert.match(await page.locator('main').innerText(), /gpj\.exe \\u200bhidden\\u2028end/);
      await page.getByRole('button', { name: /^show all/ }).first().click();
      assert.ok((await overflow(page)) <= 0, 'the whole name is wider than the window');
      assert.deepEqual(await page.faults(), []);
      await page.context().close();
    }
  });
});
