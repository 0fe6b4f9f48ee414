// proxy.test.mjs - behind nginx below a prefix, and without JavaScript.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMIT, open } from './browser.mjs';
import { nginx } from './nginx.mjs';
import { setup } from './setup.mjs';

const here = setup();

test('below a prefix everything works: a deep link, the way to a report, Back, CSV', LIMIT, async () => {
  const proxy = await nginx(here.ruad.url, { prefix: '/dmarc/' });
  try {
    const page = await open(here.browser, proxy.url);
    await page.show('sources?domain=example.com&result=fail');
    assert.ok((await page.locator('tbody tr').count()) > 2);
    const csv = new URL(await page.locator('a.csv').getAttribute('href'), page.url());
    assert.ok(csv.href.startsWith(`${proxy.url}api/v1/sources?`), csv.href);
    assert.match((await fetch(csv)).headers.get('content-type'), /^text\/csv/);
    await page.locator('tbody td.lead a').first().click();
    await page.settled();
    assert.ok(page.url().startsWith(`${proxy.url}source?domain=example.com&key=`), page.url());
    await page.goto(`${proxy.url}records?domain=example.com&result=fail`);
    await page.settled();
    await page.unfold();
    await page.locator('td[data-label="Report"] a').first().click();
    await page.settled();
    assert.ok(page.url().startsWith(`${proxy.url}report?`), page.url());
    await page.goBack();
    await page.settled();
    assert.equal(page.url(), `${proxy.url}records?domain=example.com&result=fail`);
    await page.getByRole('link', { name: 'ruad', exact: true }).click();
    await page.settled();
    assert.equal(page.url(), `${proxy.url}?domain=example.com`);
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  } finally {
    await proxy.stop();
  }
});

test('without JavaScript the page says where the numbers are', LIMIT, async () => {
  const page = await open(here.browser, here.ruad.url, { javaScriptEnabled: false });
  await page.goto(here.ruad.url);
  assert.match(await page.locator('noscript').innerText(), /needs JavaScript[^]*api\/v1\/[^]*CSV[^]*schema dmarc/);
  for (const link of await page.locator('noscript a').all()) {
    const response = await fetch(new URL(await link.getAttribute('href'), here.ruad.url));
    assert.equal(response.status, 200);
  }
  await page.context().close();
});
