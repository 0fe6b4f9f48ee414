// states.test.mjs - when not all is well: errors, no answer, reports that stopped, long lists, addresses that nobody looked up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMIT, open, violations } from './browser.mjs';
import { setup } from './setup.mjs';

const here = setup();

describe('when not all is well', { concurrency: false }, () => {
  test('an error is shown in the words of the API, and trying again helps', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    let failing = true;
    await page.route('**/api/v1/sources*', (route) =>
      failing
        ? route.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: JSON.stringify({ type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'the database is unavailable' }),
          })
        : route.continue());
    await page.goto(`${here.ruad.url}sources`);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /Service Unavailable[^]*the database is unavailable/);
    assert.deepEqual(await violations(page), []);
    failing = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('tbody tr').first().waitFor();
    assert.equal(await alert.count(), 0);
    await page.context().close();
  });

  test('the first view needs at most 48 KB in gzip form, and the rest is loaded when another page is opened', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    const loaded = new Map();
    page.on('response', (response) => void (/\/(assets\/.*)?$/.test(response.url()) && loaded.set(response.url(), response.request().sizes())));
    await page.show('./');
    const sizes = await Promise.all(loaded.values());
    const total = sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
    assert.ok(total > 20_000 && total <= 48 * 1024, `${total} bytes`);
    const others = () => [...loaded.keys()].filter((url) => url.includes('assets/others.')).length;
    assert.equal(others(), 0);
    await page.getByRole('navigation').getByRole('link', { name: 'Reports', exact: true }).click();
    await page.settled();
    assert.equal(others(), 1);
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  });

  test('a part of the page that cannot be loaded is said so, and can be tried again', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    await page.route('**/assets/others.*', (route) => route.abort());
    await page.show('./reports');
    assert.match(await page.locator('[role="alert"]').innerText(), /was not loaded/);
    await page.unroute('**/assets/others.*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('tbody tr').first().waitFor();
    await page.context().close();
  });

  test('a server that does not answer is said to be so', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    await page.route('**/api/v1/summary*', (route) => route.abort());
    await page.goto(here.ruad.url);
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByRole('alert').innerText(), /does not answer/);
    await page.context().close();
  });

  test('reports that stopped coming are pointed out', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    const old = new Date(Date.now() - 5 * 86_400_000).toISOString();
    for (const resource of ['summary', 'intake'])
      await page.route(`**/api/v1/${resource}*`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), last_report_at: old } });
      });
    await page.show('./');
    assert.match(await page.locator('.notice.warn').innerText(), /The last report was received 5 days ago/);
    assert.match(await page.locator('.intake.warn').innerText(), /last report 5 days ago/);
    assert.deepEqual(await violations(page), []);
    await page.context().close();
  });

  test('a long list is loaded piece by piece', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    await page.show('./records?domain=example.com');
    assert.equal(await page.locator('tbody tr').count(), 100);
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.settled();
    assert.equal(await page.locator('tbody tr').count(), 200);
    assert.match(await page.locator('.foot').innerText(), /200 records so far/);
    await page.context().close();
  });
});
