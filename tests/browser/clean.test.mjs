// clean.test.mjs - every page, at every width and in every theme: no error, nothing off-origin, answers as in the contract, nothing
// wider than the window, no violation of WCAG 2.2 AA.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMIT, open, overflow, SIZES, violations } from './browser.mjs';
import { EXPECTED, pages } from './pages.mjs';
import { setup } from './setup.mjs';

const here = setup();
const NAMES = Object.keys(pages({}));

describe('every page is clean', { concurrency: false }, () => {
  for (const width of Object.keys(SIZES).map(Number))
    for (const name of NAMES)
      test(`${name} at ${width}, light and dark`, LIMIT, async () => {
        const page = await open(here.browser, here.ruad.url, { width });
        await page.show(pages(here.ids)[name]);
        assert.ok((await page.locator('main').innerText()).length > 60, 'the page says something');
        assert.ok((await overflow(page)) <= 0, 'wider than the window');
        await page.unfold();
        for (const theme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme: theme });
          assert.ok((await overflow(page)) <= 0, `wider than the window with all unfolded, ${theme}`);
          assert.deepEqual(await violations(page), [], theme);
        }
        assert.deepEqual((await page.faults()).filter((fault) => !EXPECTED[name]?.test(fault)), []);
        await page.context().close();
      });
});

describe('at every width in between', { concurrency: false }, () => {
  for (const name of NAMES)
    test(`${name} fits`, LIMIT, async () => {
      const page = await open(here.browser, here.ruad.url);
      await page.show(pages(here.ids)[name]);
      for (const width of [320, 600, 700, 800, 900, 1000, 1100, 1200, 1400, 1900]) {
        await page.setViewportSize({ width, height: 800 });
        await page.waitForFunction((wanted) => innerWidth === wanted, width);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        assert.ok((await overflow(page)) <= 0, `wider than ${width}`);
      }
      await page.context().close();
    });
});

describe('in other ways of looking', { concurrency: false }, () => {
  test('with forced colours, on paper and without motion every page still says what it says', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    for (const name of ['overview', 'sources', 'domain', 'report', 'intake']) {
      await page.emulateMedia({ media: 'screen', forcedColors: 'none', reducedMotion: 'reduce' });
      await page.show(pages(here.ids)[name]);
      await page.waitForLoadState('networkidle'); // words of the help come behind the numbers
      const text = await page.locator('main').innerText();
      await page.emulateMedia({ forcedColors: 'active' });
      assert.equal(await page.locator('main').innerText(), text, `${name} with forced colours`);
      await page.emulateMedia({ media: 'print', forcedColors: 'none' });
      assert.equal(await page.locator('header').isVisible(), false, `${name} on paper`);
      assert.ok((await page.locator('main').innerText()).length > text.length / 2);
      assert.equal(await page.locator('td.rest:not(details td):not(:visible)').count(), 0, `${name} on paper: all cells`);
      assert.ok((await overflow(page)) <= 0);
    }
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  });
});
