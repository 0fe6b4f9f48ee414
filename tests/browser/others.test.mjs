// others.test.mjs - reporters, failure reports, TLS reports: from the list to the thing, and how each looks when none has come.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMIT, open, overflow, violations } from './browser.mjs';
import { reports } from './reports.mjs';
import { server } from './server.mjs';
import { setup } from './setup.mjs';

const here = setup();
const { visit } = here;
const number = (text) => Number(text.replaceAll(',', ''));
const api = async (path) => (await fetch(`${here.ruad.url}api/v1/${path}`)).json();
const rows = (page, label) => page.getByRole('table', { name: label, exact: true }).locator('tbody tr');

// The lines of the CSV of the table with this name, by column.
async function csvOf(page, label) {
  const link = page.getByRole('link', { name: `${label} as CSV` });
  const text = await (await fetch(new URL(await link.getAttribute('href'), here.ruad.url))).text();
  const [heads, ...lines] = text.trimEnd().split('\r\n').map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((cell) => cell[1] ?? cell[2]));
  return (name) => lines.map((line) => line[heads.indexOf(name)]);
}

describe('reporters', { concurrency: false }, () => {
  test('from a reporter to its reports', LIMIT, () =>
    visit('./reporters', {}, async (page) => {
      const row = rows(page, 'Reporters').filter({ hasText: 'Yahoo' });
      const link = row.locator('td[data-label="Reports"] a');
      const reports = number(await link.innerText());
      await link.click();
      await page.settled();
      assert.match(page.url(), /\/reports\?reporter=Yahoo$/);
      assert.equal(await rows(page, 'Reports').count(), reports);
    }));

  test('coverage, lateness, dialect and notes are told in words', LIMIT, () =>
    visit('./reporters', {}, async (page) => {
      const { items } = await api('reporters');
      const gmx = items.find(({ org_name }) => org_name === 'GMX');
      const row = rows(page, 'Reporters').filter({ hasText: 'GMX' });
      assert.match(await row.locator('td[data-label="Days with reports"] small').innerText(), new RegExp(`^${gmx.days} of 30 days`));
      assert.match(await row.locator('svg.heat').getAttribute('aria-label'), /report/);
      assert.match(await row.locator('td[data-label="After the period"]').innerText(), /later$|hour$/);
      assert.match(await row.innerText(), /RFC 9990/);
      await row.locator('summary').click();
      for (const { code, n } of gmx.notes)
        assert.match(await row.locator('li').filter({ hasText: code }).innerText(), new RegExp(`^${code} \\S.* ${n}$`), 'a code with its meaning');
    }));

  test('the CSV has the rows of the table', LIMIT, () =>
    visit('./reporters?domain=example.com', {}, async (page) => {
      const csv = await csvOf(page, 'Reporters');
      assert.deepEqual(csv('reports').map(Number), (await rows(page, 'Reporters').locator('td[data-label="Reports"]').allInnerTexts()).map(number));
      assert.deepEqual(csv('messages').map(Number), (await rows(page, 'Reporters').locator('td[data-label="Messages"]').allInnerTexts()).map(number));
    }));
});

describe('failure reports', { concurrency: false }, () => {
  test('from the list to a report, in which others’ addresses are masked', LIMIT, () =>
    visit('./failures', {}, async (page) => {
      const row = rows(page, 'Failure reports').filter({ hasText: 'Your invoice is overdue' }).first();
      await row.locator('td.lead a').click();
      await page.settled();
      assert.match(page.url(), /\/failure\?id=\d+$/);
      assert.equal(await page.locator('h1').innerText(), 'Your invoice is overdue');
      const text = await page.locator('main').innerText();
      assert.match(text, /\*\*\*@mailer\.example\.net/);
      assert.match(text, /\*\*\*@reporter\.example/);
      assert.doesNotMatch(text, /someone@|bounce@/);
      assert.match(text, /ruad keeps only the headers/);
      const headers = page.getByRole('region', { name: 'Headers' });
      await headers.focus();
      assert.ok(await headers.evaluate((one) => one === document.activeElement), 'can be scrolled by keyboard');
      assert.match(await headers.innerText(), /^Return-Path: <\*\*\*@mailer\.example\.net>\nReceived: from [^]*\n +for /);
      await page.locator('.facts').getByRole('link', { name: '192.0.2.200' }).click();
      await page.settled();
      assert.match(page.url(), /\/ip\?ip=192\.0\.2\.200$/);
    }));

  test('filters and the CSV', LIMIT, () =>
    visit('./failures?ip=198.51.100.0/24', {}, async (page) => {
      const ips = await rows(page, 'Failure reports').locator('td[data-label="Source IP"]').allInnerTexts();
      assert.ok(ips.length > 1 && ips.every((ip) => ip.startsWith('198.51.100.')));
      const csv = await csvOf(page, 'Failure reports');
      assert.deepEqual(csv('source_ip'), ips);
      await page.getByRole('button', { name: 'Other feedback' }).click();
      await page.settled();
      assert.match(page.url(), /kind=feedback/);
      assert.match(await page.locator('.notice').innerText(), /No failure report matches[^]*Clear all filters/);
      await page.getByRole('link', { name: 'Clear all filters' }).click();
      await page.settled();
      assert.equal(await rows(page, 'Failure reports').count(), (await api('failures')).items.length);
    }));
});

describe('TLS', { concurrency: false }, () => {
  test('its numbers are sessions, and add up to those of the API', LIMIT, () =>
    visit('./tls', {}, async (page) => {
      const { totals, domains, failures } = await api('tls/summary');
      assert.ok(totals.failed > 0);
      assert.match(await page.locator('.stats').innerText(), new RegExp(`Sessions\\s+${totals.sessions.toLocaleString('en-US')}\\s`));
      const all = await page.locator('.chart tbody td[data-label="All"] > div').allTextContents();
      assert.equal(all.reduce((sum, text) => sum + number(text), 0), totals.sessions);
      assert.equal(await rows(page, 'Policies').count(), domains.length);
      assert.deepEqual(await rows(page, 'Failures').locator('td.lead').allInnerTexts(), failures.map((one) => one.result_type));
      assert.match(await page.locator('main').innerText(), /may not add up/);
    }));

  test('from the failed sessions of a policy to a report', LIMIT, () =>
    visit('./tls', {}, async (page) => {
      await rows(page, 'Policies').first().locator('td[data-label="Failed"] a').click();
      await page.settled();
      assert.deepEqual([...new URL(page.url()).searchParams].sort(), [['domain', 'example.com'], ['policy_type', 'sts'], ['result', 'fail']]);
      const failed = (await rows(page, 'TLS reports').locator('td[data-label="Failed"]').allInnerTexts()).map(number);
      assert.ok(failed.length > 0 && failed.every((n) => n > 0));
      const csv = await csvOf(page, 'TLS reports');
      assert.deepEqual(csv('failed').map(Number), failed);
      await rows(page, 'TLS reports').last().locator('td.lead a').click();
      await page.settled();
      assert.match(page.url(), /\/tlsreport\?/);
      assert.match(await page.locator('main').innerText(), /mode: enforce[^]*(certificate-expired|starttls-not-supported)/);
      await page.goBack();
      await page.settled();
      assert.equal(await page.getByRole('button', { name: 'MTA-STS' }).getAttribute('aria-pressed'), 'true');
    }));
});

test('when none has come, the page says how they are asked for', { timeout: 300_000, skip: process.env.RUAD_URL && 'needs a database of its own' }, async () => {
  const ruad = await server();
  try {
    await ruad.deliver(reports(2));
    for (const width of [1280, 390]) {
      const page = await open(here.browser, ruad.url, { width });
      await page.route('**/api/v1/meta', async (route) => {
        await new Promise((done) => setTimeout(done, 300)); // nothing else is shown until it is known that none has come
        await route.fallback();
      });
      for (const [address, words] of [
        ['./failures', /few receivers send failure reports[^]*ruf=mailto:dmarc-full@/],
        ['./failure', /no id/],
        ['./tls?domain=my.example', /_smtp\._tls\.my\.example\. TXT "v=TLSRPTv1; rua=mailto:tls-rpt@my\.example"/],
      ]) {
        await page.show(address);
        assert.match(await page.locator('main').innerText(), words);
        assert.deepEqual(await violations(page), []);
        assert.ok((await overflow(page)) <= 0);
      }
      assert.equal(await page.locator('nav a').filter({ hasText: /Failures|TLS/ }).count(), 1, 'in the navigation only where one is');
      assert.deepEqual(await page.faults(), []);
      await page.context().close();
    }
  } finally {
    await ruad.stop();
  }
});

test('what two parts of a page ask for at once is there for both, whichever answer comes last', LIMIT, async () => {
  for (const late of [0, 1]) {
    const page = await open(here.browser, here.ruad.url);
    let asked = 0;
    await page.route('**/api/v1/meta', async (route) => {
      if (asked++ === late) await new Promise((done) => setTimeout(done, 800));
      await route.continue();
    });
    await page.show('./failures');
    await page.waitForTimeout(1000);
    assert.ok(asked >= 2);
    await page.getByRole('button', { name: 'DMARC failures' }).click();
    await page.settled();
    assert.ok((await rows(page, 'Failure reports').count()) > 0);
    await page.context().close();
  }
});

describe('what is not there', { concurrency: false }, () => {
  test('an id that is not there is told so', LIMIT, async () => {
    for (const address of ['./failure?id=999999999', './tlsreport?id=999999999', './domain?name=nobody.example']) {
      const page = await open(here.browser, here.ruad.url);
      await page.goto(new URL(address, here.ruad.url).href);
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').innerText(), /404/, address);
      await page.context().close();
    }
  });
});
