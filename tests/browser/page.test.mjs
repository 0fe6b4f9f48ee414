// page.test.mjs - the page on a real server with forty days of reports: every page clean, and the ways through it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch, open, overflow, SIZES, violations } from './browser.mjs';
import { HOSTILE, hostile, reports, unreadable } from './reports.mjs';
import { server } from './server.mjs';

const LIMIT = { timeout: 120_000 }; // of each test: a dead browser or server must not hang the suite

let ruad;
let browser;
let reportId;

before(async () => {
  ruad = await server();
  if (ruad.lmtp) await ruad.deliver([...reports(), hostile(), unreadable()]);
  browser = await launch();
  reportId = (await (await fetch(`${ruad.url}api/v1/reports?domain=example.com&limit=1`)).json()).items[0].id;
});
after(async () => {
  await browser?.close();
  await ruad?.stop();
});

const PAGES = {
  overview: () => './',
  'overview of a domain by week': () => './?domain=example.com&window=1y',
  sources: () => './sources',
  'failing sources': () => './sources?result=fail&sort=-messages',
  'records of a source': () => './records?ip=198.51.100.42&result=fail',
  records: () => './records?domain=example.com',
  reports: () => './reports',
  report: () => `./report?id=${reportId}`,
  intake: () => './intake',
  'nothing that matches': () => './sources?ip=192.0.2.123',
  'an unknown report': () => './report?id=999999999',
};

const EXPECTED = { 'an unknown report': /status of 404/ }; // Chromium itself reports a failed request on its console

describe('every page is clean', { concurrency: false }, () => {
  for (const width of Object.keys(SIZES).map(Number))
    for (const [name, address] of Object.entries(PAGES))
      test(`${name} at ${width}, light and dark: no error, no request off-origin, no overflow, WCAG 2.2 AA`, LIMIT, async () => {
        const page = await open(browser, ruad.url, { width });
        await page.show(address());
        assert.ok((await page.locator('main').innerText()).length > 60, 'the page says something');
        assert.ok((await overflow(page)) <= 0, 'wider than the window');
        for (const details of await page.locator('main details').all()) await details.evaluate((one) => (one.open = true));
        for (const theme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme: theme });
          assert.ok((await overflow(page)) <= 0, `wider than the window with all details open, ${theme}`);
          assert.deepEqual(await violations(page), [], theme);
        }
        assert.deepEqual(page.faults.filter((fault) => !EXPECTED[name]?.test(fault)), []);
        await page.context().close();
      });
});

describe('at every width in between', { concurrency: false }, () => {
  for (const [name, address] of Object.entries(PAGES))
    test(`${name} fits`, LIMIT, async () => {
      const page = await open(browser, ruad.url);
      await page.show(address());
      for (const width of [320, 600, 700, 800, 900, 1000, 1100, 1200, 1400, 1900]) {
        await page.setViewportSize({ width, height: 800 });
        await page.waitForTimeout(50);
        assert.ok((await overflow(page)) <= 0, `wider than ${width}`);
      }
      await page.context().close();
    });
});

describe('the ways through the page', { concurrency: false }, () => {
  const visit = async (address, how, what) => {
    const page = await open(browser, ruad.url, how);
    await page.show(address);
    await what(page);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  };

  test('from the overview over a failing source and its records to the report', LIMIT, () =>
    visit('./', {}, async (page) => {
      const source = page.locator('.attention a').first();
      const ip = await source.innerText();
      await source.click();
      await page.settled();
      assert.match(page.url(), /\/records\?ip=[^&]+&result=fail$/);
      assert.equal(new URL(page.url()).searchParams.get('ip'), ip);
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
      assert.match(await page.title(), /^Records/);
      assert.match(await page.locator('.why').innerText(), /Why it fails/);
      const aligned = await page.locator('td[data-label="DKIM aligned"], td[data-label="SPF aligned"]').allInnerTexts();
      assert.ok(aligned.length >= 2 && aligned.every((text) => text.trim() !== 'pass'), 'every row failed both');
      await page.locator('td[data-label="Report"] a').first().click();
      await page.settled();
      assert.match(page.url(), /\/report\?id=\d+$/);
      assert.match(await page.locator('main').innerText(), /Policy the reporter found/);
      const rows = page.locator('tbody tr');
      const all = await rows.count();
      await page.getByRole('button', { name: /^Only failures/ }).click();
      assert.match(page.url(), /result=fail/);
      const failed = await rows.count();
      assert.ok(failed > 0 && failed < all, `${failed} of ${all} failed`);
      assert.ok((await rows.allInnerTexts()).some((text) => text.includes(ip)), 'the source is among them');
      await page.goBack();
      await page.settled();
      assert.match(page.url(), /\/records\?/);
      await page.goBack();
      await page.settled();
      assert.equal(page.url(), ruad.url);
      assert.match(await page.locator('.sentence').innerText(), /passed DMARC/);
    }));

  test('the sentence says what the API says', LIMIT, () =>
    visit('./?domain=example.com', {}, async (page) => {
      const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
      const from = new Date(Date.parse(to) - 30 * 86_400_000).toISOString().slice(0, 10);
      const { totals } = await (await fetch(`${ruad.url}api/v1/summary?domain=example.com&from=${from}&to=${to}`)).json();
      assert.ok(totals.messages > 0);
      const sentence = await page.locator('.sentence').innerText();
      assert.ok(sentence.startsWith(`${totals.messages.toLocaleString('en-US')} messages`), sentence);
      const table = await page.locator('.chart tbody tr td[data-label="All"]').allTextContents();
      assert.equal(table.reduce((sum, text) => sum + Number(text.replaceAll(',', '')), 0), totals.messages, 'the chart adds up to it');
    }));

  test('a filtered and sorted list is the same after a reload, and Back leaves it', LIMIT, () =>
    visit('./', {}, async (page) => {
      await page.getByRole('navigation').getByRole('link', { name: 'Sources' }).click();
      await page.settled();
      await page.getByRole('combobox', { name: 'Domain' }).selectOption('example.com');
      await page.getByRole('button', { name: '90 days' }).click();
      await page.getByRole('button', { name: 'Failed', exact: true }).click();
      await page.getByRole('button', { name: /^Messages/ }).click();
      await page.settled();
      assert.equal(page.url(), `${ruad.url}sources?domain=example.com&window=90d&result=fail&sort=-messages`);
      const before = await page.locator('tbody').innerText();
      const counts = (await page.locator('td[data-label="Messages"]').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
      assert.ok(counts.length > 2);
      assert.deepEqual(counts, [...counts].sort((a, b) => b - a));
      assert.equal(await page.locator('th[aria-sort="descending"]').innerText().then((text) => text.replace(/\W/g, '')), 'Messages');
      await page.reload();
      await page.settled();
      assert.equal(await page.locator('tbody').innerText(), before);
      await page.goBack();
      await page.settled();
      assert.equal(page.url(), ruad.url);
    }));

  test('filters by address, network and reporter narrow the sources', LIMIT, () =>
    visit('./sources?domain=example.com', {}, async (page) => {
      const all = await page.locator('tbody tr').count();
      await page.getByRole('searchbox', { name: 'IP or network' }).fill('198.51.100.0/24');
      await page.keyboard.press('Enter');
      await page.settled();
      const ips = await page.locator('tbody .ip').allInnerTexts();
      assert.ok(ips.length > 0 && ips.length < all);
      assert.ok(ips.every((ip) => ip.startsWith('198.51.100.')), ips.join());
      await page.getByRole('searchbox', { name: 'Reporter' }).fill('nobody.example');
      await page.keyboard.press('Enter');
      await page.settled();
      assert.match(await page.locator('main').innerText(), /No source matches/);
      await page.getByRole('link', { name: 'Clear all filters' }).click();
      await page.settled();
      assert.ok((await page.locator('tbody tr').count()) >= all);
    }));

  test('dates of one’s own are both included', LIMIT, () =>
    visit('./', {}, async (page) => {
      await page.locator('.custom summary').click();
      const last = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
      const first = new Date(Date.now() - 4 * 86_400_000).toISOString().slice(0, 10);
      await page.getByLabel('First day').fill(first);
      await page.getByLabel('Last day').fill(last);
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.settled();
      assert.match(page.url(), new RegExp(`from=${first}&to=`));
      assert.deepEqual(await page.locator('.chart tbody td[data-label="Day"]').allTextContents().then((texts) => texts.map((text) => text.slice(0, 10))), [last, first]);
    }));

  test('the keyboard reaches the content first, sorts, and changes the theme', LIMIT, () =>
    visit('./sources', {}, async (page) => {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.textContent.trim()), 'Skip to the content');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
      await page.getByRole('button', { name: /^Passed/ }).last().focus();
      await page.keyboard.press('Enter');
      assert.match(page.url(), /sort=-pass$/);
      await page.keyboard.press('Enter');
      assert.match(page.url(), /sort=pass$/);
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await background();
      const toggle = page.getByRole('button', { name: /^Theme/ });
      await toggle.click();
      await toggle.click();
      assert.notEqual(await background(), light);
      await page.reload();
      await page.settled();
      assert.notEqual(await background(), light, 'the theme is kept');
    }));

  test('a phone loses no data: every cell of the table is in its card', LIMIT, () =>
    visit('./sources?domain=example.com', { width: 390 }, async (page) => {
      const cells = await page.locator('tbody tr').first().locator('td').all();
      assert.equal(cells.length, await page.locator('thead th').count());
      assert.ok(cells.length >= 8);
      for (const cell of cells) assert.ok(await cell.isVisible());
      const label = await cells[1].evaluate((cell) => getComputedStyle(cell, '::before').content);
      assert.equal(label, '"Messages"');
      await page.getByRole('button', { name: /^Messages/ }).click();
      assert.match(page.url(), /sort=-messages/);
    }));
});

// ruad behind a reverse proxy that serves it below /dmarc/ and knows of nothing else.
async function below(prefix, target) {
  const proxy = http.createServer((request, response) => {
    if (!request.url.startsWith(prefix)) return response.writeHead(404).end();
    const onward = http.request(new URL(request.url.slice(prefix.length), target), { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${proxy.address().port}${prefix}`, close: () => proxy.close() };
}

test('below a prefix everything works: a deep link, the way to a report, Back', LIMIT, async () => {
  const proxy = await below('/dmarc/', ruad.url);
  const page = await open(browser, proxy.url);
  await page.show('sources?domain=example.com&result=fail');
  assert.ok((await page.locator('tbody tr').count()) > 2);
  await page.locator('tbody a').first().click();
  await page.settled();
  assert.ok(page.url().startsWith(`${proxy.url}records?domain=example.com&ip=`), page.url());
  await page.locator('td[data-label="Report"] a').first().click();
  await page.settled();
  assert.ok(page.url().startsWith(`${proxy.url}report?`), page.url());
  await page.goBack();
  await page.goBack();
  await page.settled();
  assert.equal(page.url(), `${proxy.url}sources?domain=example.com&result=fail`);
  await page.getByRole('link', { name: 'ruad', exact: true }).click();
  await page.settled();
  assert.equal(page.url(), `${proxy.url}?domain=example.com`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
  proxy.close();
});

describe('when not all is well', { concurrency: false }, () => {
  test('an error is shown in the words of the API, and trying again helps', LIMIT, async () => {
    const page = await open(browser, ruad.url);
    let failing = true;
    await page.route('**/api/v1/sources*', (route) =>
      failing
        ? route.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: JSON.stringify({ type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'the database is away' }),
          })
        : route.continue());
    await page.goto(`${ruad.url}sources`);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /Service Unavailable[^]*the database is away/);
    assert.deepEqual(await violations(page), []);
    failing = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('tbody tr').first().waitFor();
    assert.equal(await alert.count(), 0);
    await page.context().close();
  });

  test('a server that does not answer is said to be so', LIMIT, async () => {
    const page = await open(browser, ruad.url);
    await page.route('**/api/v1/summary*', (route) => route.abort());
    await page.goto(ruad.url);
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByRole('alert').innerText(), /does not answer/);
    await page.context().close();
  });

  test('reports that stopped coming are pointed out', LIMIT, async () => {
    const page = await open(browser, ruad.url);
    const old = new Date(Date.now() - 5 * 86_400_000).toISOString();
    for (const resource of ['summary', 'intake'])
      await page.route(`**/api/v1/${resource}*`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), last_report_at: old } });
      });
    await page.show('./');
    assert.match(await page.locator('.notice.warn').innerText(), /The last report came in 5 days ago/);
    assert.match(await page.locator('.intake.warn').innerText(), /last report 5 days ago/);
    assert.deepEqual(await violations(page), []);
    await page.context().close();
  });

  test('a long list is loaded piece by piece', LIMIT, async () => {
    const page = await open(browser, ruad.url);
    await page.show('./records?domain=example.com');
    assert.equal(await page.locator('tbody tr').count(), 100);
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.settled();
    assert.equal(await page.locator('tbody tr').count(), 200);
    assert.match(await page.locator('.foot').innerText(), /200 records so far/);
    await page.context().close();
  });
});

describe('hostile text', { concurrency: false }, () => {
  test('markup, scripts, bidi overrides and endless names stay text', LIMIT, async () => {
    const { items } = await (await fetch(`${ruad.url}api/v1/reports?domain=${HOSTILE}`)).json();
    assert.equal(items.length, 1);
    for (const width of [1280, 390]) {
      const page = await open(browser, ruad.url, { width });
      for (const address of ['./', './sources', './records', './reports', `./report?id=${items[0].id}`]) {
        await page.show(`${address}${address.includes('?') ? '&' : '?'}domain=${HOSTILE}`);
        assert.equal(await page.evaluate(() => window.pwned), undefined);
        assert.equal(await page.locator('main img, main script, a[href^="javascript"]').count(), 0);
        assert.ok((await overflow(page)) <= 0, `${address} is wider than the window`);
        assert.doesNotMatch(await page.locator('body').innerText(), /[\u202a-\u202e\u2066-\u2069\u200b]/);
      }
      assert.match(await page.locator('main').innerText(), /<img src=x onerror=/);
      await page.getByRole('button', { name: /^show all/ }).first().click();
      assert.ok((await overflow(page)) <= 0, 'the whole name is wider than the window');
      assert.deepEqual(page.faults, []);
      await page.context().close();
    }
  });
});
