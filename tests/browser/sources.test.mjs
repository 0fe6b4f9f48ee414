// sources.test.mjs - who sends: the list in each of its groups, a source, an address, what is advised, and labels set from the page.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, LIMIT, open, violations } from './browser.mjs';
import { nginx } from './nginx.mjs';
import { known, reports } from './reports.mjs';
import { server } from './server.mjs';
import { setup } from './setup.mjs';

const number = (text) => Number(text.replaceAll(/[,\s]/g, ''));

// The day after the last and the first of the window that a page shows unless told otherwise.
function thirtyDays() {
  const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  return { to, from: new Date(Date.parse(to) - 30 * 86_400_000).toISOString().slice(0, 10) };
}

const api = async (url, path) => (await fetch(`${url}api/v1/${path}`)).json();

// Every link to records that is a number leads to records of as many messages; how many such links there are.
async function heldToRecords(page, url, within) {
  const links = await page.locator(within).evaluateAll((all) => all.map((one) => [one.textContent.trim(), one.getAttribute('href')]));
  const numbers = new Map(links.filter(([text, href]) => /^[\d,]+$/.test(text) && href.startsWith('./records?')).map(([text, href]) => [href, text]));
  const window = thirtyDays();
  for (const [href, text] of numbers) {
    const filters = new URL(href, url).searchParams;
    if (filters.get('rdns') === 'example.net') continue; // mailer.example.net, which the test data has as a domain of its own, is below it
    if (!filters.has('from')) for (const name of ['from', 'to']) filters.set(name, window[name]);
    const { totals } = await api(url, `summary?${filters}`);
    assert.equal(totals.messages, number(text), href);
  }
  return numbers.size;
}

const here = setup();
const { visit } = here;

describe('the list of sources', { concurrency: false }, () => {
  const GROUPS = { Organisation: '', 'rDNS domain': 'rdns', Network: 'asn', Country: 'country', IP: 'ip', 'Authenticated as': 'auth_domain' };

  test('in every group each number leads to the records that it counts', LIMIT, () =>
    visit('./sources', {}, async (page) => {
      for (const [button, group] of Object.entries(GROUPS)) {
        await page.getByRole('group', { name: 'Group by' }).getByRole('button', { name: button, exact: true }).click();
        await page.settled();
        assert.equal(new URL(page.url()).searchParams.get('group') ?? '', group);
        const { items, total } = await api(here.ruad.url, `sources?group=${group || 'source'}&limit=500`);
        assert.equal(await page.locator('tbody tr').count(), total);
        assert.deepEqual((await page.locator('td[data-label="Messages"]').allInnerTexts()).map(number), items.map((item) => item.messages));
        assert.ok((await heldToRecords(page, here.ruad.url, 'tbody a')) >= 4, group);
      }
    }));

  test('a row is at most 48 pixels high, and what has no room is cut and has a title', LIMIT, () =>
    visit('./sources', {}, async (page) => {
      for (const group of ['Organisation', 'IP', 'Network']) {
        await page.getByRole('group', { name: 'Group by' }).getByRole('button', { name: group, exact: true }).click();
        await page.settled();
        const heights = await page.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
        assert.ok(heights.length > 4);
        assert.ok(await page.locator('table').evaluate((table) => table.scrollWidth <= table.parentElement.clientWidth), `${group}: no wider than its card`);
        assert.deepEqual(heights.filter((height) => height > 48), [], group);
      }
      const name = page.locator('tbody .cut').first();
      await name.evaluate((one) => (one.textContent = `${'a-very-long-label.'.repeat(8)}example.com`));
      const [row, titled] = await name.evaluate((one) => [one.closest('tr').getBoundingClientRect().height, one.title !== '' && one.scrollWidth > one.clientWidth]);
      assert.ok(row <= 48 && titled, `${row} px, ${titled}`);
    }));

  test('a group leads to the sources in it, and the number of addresses to those', LIMIT, () =>
    visit('./sources?group=country', {}, async (page) => {
      const row = page.locator('tbody tr').filter({ hasText: 'US' });
      const ips = number(await row.locator('td[data-label="IPs"]').innerText());
      await row.locator('td[data-label="IPs"] a').click();
      await page.settled();
      assert.match(page.url(), /group=ip&country=US/);
      assert.equal(await page.locator('tbody tr').count(), ips);
      await page.goBack();
      await page.settled();
      await row.getByRole('link', { name: 'US' }).click();
      await page.settled();
      assert.match(page.url(), /\/sources\?country=US$/);
      assert.match(await page.locator('tbody').innerText(), /Acme Mailer[^]*marketing, named by reverse DNS/);
    }));

  test('filters are in the address, stay over a reload, and a number within them keeps them', LIMIT, () =>
    visit('./sources', {}, async (page) => {
      await page.getByRole('group', { name: 'Group by' }).getByRole('button', { name: 'IP', exact: true }).click();
      await page.getByRole('button', { name: 'Failed', exact: true }).click();
      await page.getByRole('combobox', { name: 'Label' }).selectOption('mine');
      await page.settled();
      assert.equal(page.url(), `${here.ruad.url}sources?group=ip&result=fail&label=mine`);
      const shown = await page.locator('tbody').innerText();
      assert.match(shown, /198\.51\.100\.42/);
      assert.doesNotMatch(shown, /192\.0\.2\./);
      await page.reload();
      await page.settled();
      assert.equal(await page.locator('tbody').innerText(), shown);
      await page.locator('td[data-label="Messages"] a').first().click();
      await page.settled();
      assert.match(page.url(), /\/records\?ip=198\.51\.100\.42&result=fail&label=mine$/);
      assert.deepEqual(await page.locator('.chips bdi').allInnerTexts(), ['DMARC: Failed', 'IP or network: 198.51.100.42', 'Label: Mine']);
    }));

  test('its CSV holds what the table holds', LIMIT, () =>
    visit('./sources?result=fail', {}, async (page) => {
      const href = await page.getByRole('link', { name: 'Sources as CSV' }).getAttribute('href');
      const [head, ...lines] = (await (await fetch(new URL(href, here.ruad.url))).text()).trim().split('\r\n');
      const at = head.split(',').indexOf('messages');
      assert.ok(at >= 0, head);
      const quoted = /("(?:[^"]|"")*"|[^,]*)(?:,|$)/g;
      assert.deepEqual(
        lines.map((line) => Number([...line.matchAll(quoted)][at][1])),
        (await page.locator('td[data-label="Messages"]').allInnerTexts()).map(number),
      );
    }));
});

describe('a source', { concurrency: false }, () => {
  const own = { skip: process.env.RUAD_URL && 'needs a database of its own' };

  test('from the overview over a failing source and its records to the report as XML', LIMIT, () =>
    visit('./', {}, async (page) => {
      await page.locator('ol.attention li:has(.amount) .who a').first().click();
      await page.settled();
      assert.match(page.url(), /\/source\?key=/);
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
      const failed = page.locator('.stat').filter({ hasText: 'Failed' }).locator('a');
      assert.ok(number(await failed.innerText()) > 0);
      await failed.click();
      await page.settled();
      assert.match(page.url(), /\/records\?source=[^&]+&result=fail$/);
      await page.unfold();
      await page.locator('td[data-label="Report"] a').first().click();
      await page.settled();
      const id = new URL(page.url()).searchParams.get('id');
      const coming = page.waitForEvent('download');
      await page.getByRole('link', { name: 'XML' }).click();
      const download = await coming;
      assert.match(download.suggestedFilename(), /\.xml$/);
      const xml = (await (await download.createReadStream()).toArray()).join('');
      const report = await api(here.ruad.url, `reports/${id}`);
      assert.match(xml, /<feedback[ >]/);
      assert.ok(xml.includes(`<report_id>${report.report_metadata.report_id}</report_id>`));
      assert.equal(xml.split('<record>').length - 1, report.records_total);
    }));

  test('its numbers lead to the records that they count, also those of its lists', { ...LIMIT, ...own }, () =>
    visit('./source?key=service:acme-mailer', {}, async (page) => {
      assert.equal(await page.locator('h1').innerText(), 'Acme Mailer');
      assert.ok((await heldToRecords(page, here.ruad.url, 'main a')) >= 12);
      const text = await page.locator('main').innerText();
      assert.match(text, /marketing, named by reverse DNS \(a hint, not proof\)/);
      assert.match(text, /bounce\.mailer\.example\.net/);
      assert.match(text, /s=k1/);
      assert.deepEqual(await page.locator('section:has(h2:text-is("Addresses")) .ip').allInnerTexts(), ['198.51.100.42', '198.51.100.44']);
    }));

  test('a service whose mail fails says how it is made to pass, with a link to its manual', LIMIT, () =>
    visit('./source?key=service:acme-mailer', {}, async (page) => {
      const words = page.locator('.setup');
      assert.match(await words.innerText(), /go to Settings > Sending domains at Acme Mailer\. Publish below your domain: CNAME k1\._domainkey[^]*DKIM only/);
      const link = words.getByRole('link', { name: 'Manual of Acme Mailer' });
      assert.deepEqual([await link.getAttribute('href'), await link.getAttribute('rel')], ['https://acme.example/help/dkim', 'noopener noreferrer']);
      await page.show('./');
      assert.match(await page.locator('.attention li').filter({ hasText: 'Acme Mailer' }).innerText(), /Settings > Sending domains/);
      assert.match(await page.locator('.attention').innerText(), /The record at _dmarc\.example\.com changed/);
      await page.show('./domain?name=example.com');
      assert.deepEqual(await page.getByRole('table', { name: 'Versions of records' }).locator('td[data-label="Version"]').allInnerTexts(), ['v=DMARC1; p=quarantine; sp=reject', 'v=DMARC1; p=none']);
    }));

  test('what to do depends on whose it is and how it fares', { ...LIMIT, ...own }, async () => {
    const wanted = {
      'service:acme-mailer': /^A service of yours\. A label says so\.[^]*This source is yours and fails[^]*DKIM/,
      'domain:example.com': /^Yours\.[^]*This source is yours and passes\. Nothing to do/,
      'as:64513': /^Stranger\. A label says so\.[^]*Not yours, and it fails/,
      'domain:example.net': /^Not sure\. It has sent invalid signatures of example\.com for \d+ days[^]*Decide whose it is[^]*not mine/,
    };
    for (const [key, words] of Object.entries(wanted))
      await visit(`./source?key=${key}`, {}, async (page) => assert.match(await page.locator('.card > .notice').innerText(), words, key));
  });

  test('who may not label it sees the label, its note, and the command', { ...LIMIT, ...own }, () =>
    visit('./source?key=service:acme-mailer', {}, async (page) => {
      assert.equal(await page.getByRole('radio').count(), 0);
      const card = page.locator('section').filter({ has: page.getByRole('heading', { name: /^Whose it is/ }) });
      assert.match(await card.innerText(), /Mine Newsletters; contract until 2028/);
      assert.equal(await card.locator('.copy code').innerText(), 'ruad label service:acme-mailer mine');
      await page.unfold();
      assert.match(await card.locator('.notes').innerText(), /Mine, by ann \(cli\)/);
    }));
});

describe('an address', { concurrency: false }, () => {
  test('tells its names, the source it belongs to, and what failure reports say of it', { ...LIMIT, skip: process.env.RUAD_URL && 'needs a database of its own' }, () =>
    visit('./ip?ip=198.51.100.42', {}, async (page) => {
      const text = await page.locator('main').innerText();
      for (const words of [/out42\.mailer\.example\.net/, /AS64510\s+MAILER/, /US/]) assert.match(text, words);
      const { items } = await api(here.ruad.url, 'failures?ip=198.51.100.42');
      assert.ok(items.length > 0);
      assert.equal(await page.locator('section:has(h2:text-is("Failure reports")) tbody tr').count(), items.length);
      assert.ok((await heldToRecords(page, here.ruad.url, 'main a')) >= 6);
      await page.getByRole('link', { name: 'acme-mailer' }).click();
      await page.settled();
      assert.equal(await page.locator('h1').innerText(), 'Acme Mailer');
    }));

  test('one that was not looked up yet says so', LIMIT, () =>
    visit('./ip?ip=192.0.2.66', {}, async (page) => assert.match(await page.locator('.facts').first().innerText(), /Looked up\s+not yet/)));

  test('one that no report tells of is said to be so', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    await page.show('./ip?ip=203.0.113.250');
    assert.match(await page.locator('main').innerText(), /No report mentions it/);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual((await page.faults()).filter((fault) => !/status of 404/.test(fault)), []);
    await page.context().close();
  });

  test('a network lists its addresses', LIMIT, () =>
    visit('./ip?ip=198.51.100.0/24', {}, async (page) => {
      const ips = await page.locator('tbody .ip').allInnerTexts();
      assert.ok(ips.length >= 3);
      assert.ok(ips.every((ip) => ip.startsWith('198.51.100.')), ips.join());
    }));
});

describe('an editor', { concurrency: false, skip: process.env.RUAD_URL && 'needs a server of its own' }, () => {
  let ruad;
  let proxies;
  let browser;
  before(async () => {
    ruad = await server({ 'http.auth': 'proxy', 'http.proxy_secret': 'word', 'http.editors': 'anna' });
    await ruad.deliver(reports(4));
    known(ruad);
    proxies = Object.fromEntries(await Promise.all(['anna', 'otto'].map(async (user) => [user, await nginx(ruad.url, { headers: { 'X-Remote-User': user, 'X-Ruad-Proxy-Secret': 'word' } })])));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    for (const proxy of Object.values(proxies ?? {})) await proxy.stop();
    await ruad?.stop();
  });

  test('labels a source on its page, and finds it in the list, in the log, and in a filter', LIMIT, async () => {
    const page = await open(browser, proxies.anna.url);
    await page.show('source?key=domain:example.net');
    assert.match(await page.locator('.card > .notice').innerText(), /^Stranger\. Nothing proves/);
    await page.getByRole('radio', { name: 'Mine', exact: true }).check();
    await page.getByLabel('Note').fill('The CRM <b>of sales</b>');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
    await page.settled();
    assert.match(await page.locator('.card > .notice').innerText(), /^Yours\. A label says so\.[^]*This source is yours and fails/);
    await page.unfold();
    assert.match(await page.locator('.notes').innerText(), /Mine, by anna \(page\) The CRM <b>of sales<\/b>/);
    assert.deepEqual(await violations(page), []);
    await page.show('sources?label=mine');
    const row = page.locator('tbody tr').filter({ hasText: 'example.net' });
    assert.equal(await row.locator('.label').innerText(), 'Mine');
    assert.equal(ruad.sql(`SELECT label, note, set_by, set_via FROM ruad.label_log WHERE source = 'domain:example.net'`).trim(), 'mine|The CRM <b>of sales</b>|anna|page');
    // And takes it away again.
    await page.show('source?key=domain:example.net');
    await page.getByRole('radio', { name: 'Unreviewed' }).check();
    await page.getByLabel('Note').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
    assert.equal(ruad.sql(`SELECT count(*) FROM ruad.label WHERE source = 'domain:example.net'`).trim(), '0');
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  });

  test('labels many sources at once, and finds each change in the log and in the audit log', LIMIT, async () => {
    const page = await open(browser, proxies.anna.url);
    await page.show('sources');
    for (const name of ['example.net', '192.0.2.66']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    const form = page.getByRole('form', { name: 'Label of the selected sources' });
    assert.match(await form.innerText(), /2 sources selected/);
    await form.getByLabel('Label').selectOption('not_mine');
    await form.getByLabel('Note').fill('looked at on Monday');
    assert.deepEqual(await violations(page), []);
    await form.getByRole('button', { name: 'Set label' }).click();
    await page.getByRole('status').filter({ hasText: 'Saved the label of 2 sources.' }).waitFor();
    await page.settled();
    assert.deepEqual(await page.locator('tbody tr').filter({ hasText: /example\.net|192\.0\.2\.66/ }).locator('.label').allInnerTexts(), ['Not mine', 'Not mine']);
    await page.getByRole('link', { name: 'Who labelled what' }).click();
    await page.settled();
    const changes = (await page.locator('tbody tr').allInnerTexts()).filter((row) => /Not mine[^]*looked at on Monday[^]*anna/.test(row));
    assert.equal(changes.length, 2);
    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.settled();
    assert.equal((await page.locator('tbody tr').filter({ hasText: 'looked at on Monday' }).allInnerTexts()).length, 2);
    await page.getByRole('combobox', { name: 'Action' }).selectOption('prune');
    await page.settled();
    assert.match(await page.locator('main').innerText(), /No entry matches/);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  });

  test('is told when the server refuses', LIMIT, async () => {
    const page = await open(browser, proxies.anna.url);
    await page.show('source?key=domain:example.net');
    await page.route('**/label', (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'the database is unavailable' }) }));
    await page.getByRole('radio', { name: 'Forwarder' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('status').filter({ hasText: 'Not saved. Service Unavailable: the database is unavailable' }).waitFor();
    await page.context().close();
  });

  test('is who the settings name: another one reads', LIMIT, async () => {
    const page = await open(browser, proxies.otto.url);
    await page.show('source?key=service:acme-mailer');
    assert.equal(await page.getByRole('radio').count(), 0);
    assert.match(await page.locator('.copy code').innerText(), /^ruad label service:acme-mailer /);
    assert.equal(await page.getByRole('link', { name: 'Audit log' }).count(), 0);
    const answer = await fetch(`${proxies.otto.url}api/v1/sources/service:acme-mailer/label`, { method: 'PUT', body: '{"label":"not_mine"}', headers: { 'Content-Type': 'application/json' } });
    assert.equal(answer.status, 403);
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  });
});
