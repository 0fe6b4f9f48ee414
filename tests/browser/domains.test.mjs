// domains.test.mjs - domains and what enforcement would affect: from the list to the mail behind a number, too little data, policies
// over time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMIT, overflow } from './browser.mjs';
import { setup } from './setup.mjs';

const here = setup();
const { visit } = here;
const number = (text) => Number(/[\d,]+/.exec(text)[0].replaceAll(',', ''));
const api = async (path) => (await fetch(`${here.ruad.url}api/v1/${path}`)).json();
const own = { skip: process.env.RUAD_URL && 'needs a database of its own' };
const rows = (page, label) => page.getByRole('table', { name: label }).locator('tbody tr');

describe('domains', { concurrency: false }, () => {
  test('a From subdomain stands below its policy domain, however the list is sorted', LIMIT, () =>
    visit('./domains', {}, async (page) => {
      const names = () => rows(page, 'Domains').locator('td.lead').allInnerTexts();
      assert.deepEqual(await names(), ['example.com', 'news.example.com', 'example.org', 'hostile.example']);
      for (const [heading, wanted] of [
        [/^Domain/, ['hostile.example', 'example.org', 'example.com', 'news.example.com']],
        [/^Passed/, ['example.org', 'example.com', 'news.example.com', 'hostile.example']],
        [/^Messages/, ['example.com', 'news.example.com', 'example.org', 'hostile.example']],
      ]) {
        await page.getByRole('columnheader', { name: heading }).getByRole('button').click();
        await page.settled();
        assert.deepEqual(await names(), wanted, String(heading));
      }
      assert.match(page.url(), /sort=-messages$/);
    }));

  test('every number of a From subdomain is that of its own mail', LIMIT, () =>
    visit('./domains', {}, async (page) => {
      const row = rows(page, 'Domains').filter({ hasText: 'news.example.com' });
      const messages = number(await row.locator('td[data-label="Messages"]').innerText());
      assert.ok(messages > 0);
      await row.locator('td[data-label="Messages"] a').click();
      await page.settled();
      const { searchParams } = new URL(page.url());
      assert.equal(searchParams.get('domain'), 'example.com');
      assert.equal(searchParams.get('header_from'), 'news.example.com');
      const { totals } = await api('summary?domain=example.com&header_from=news.example.com');
      assert.equal(totals.messages, messages);
    }));

  test('the CSV has the rows of the table', LIMIT, () =>
    visit('./domains', {}, async (page) => {
      const lines = (await (await fetch(new URL(await page.locator('a.csv').getAttribute('href'), here.ruad.url))).text()).trimEnd().split('\r\n');
      const heads = lines[0].split(',');
      const of = (name) => lines.slice(1).map((line) => line.split(',')[heads.indexOf(name)]);
      assert.deepEqual(of('name'), await rows(page, 'Domains').locator('td.lead').allInnerTexts());
      assert.deepEqual(of('messages').map(Number), (await rows(page, 'Domains').locator('td[data-label="Messages"]').allInnerTexts()).map(number));
    }));
});

describe('a domain', { concurrency: false }, () => {
  test('from the list over the domain and a source behind its impact to the records', LIMIT, () =>
    visit('./domains', {}, async (page) => {
      await page.getByRole('link', { name: 'example.com', exact: true }).click();
      await page.settled();
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
      assert.equal(new URL(page.url()).searchParams.get('name'), 'example.com');
      const impact = page.locator('#impact');
      await impact.getByRole('button', { name: 'quarantine', exact: true }).click();
      await page.settled();
      assert.match(page.url(), /policy=quarantine/);
      const said = await api('domains/example.com/impact?policy=quarantine');
      assert.ok(said.affected.messages > 0);
      assert.equal(number(await impact.locator('.sentence a').innerText()), said.affected.messages);
      const source = rows(page, 'Sources affected').first();
      assert.equal(await source.locator('td.lead a').innerText(), said.sources[0].name);
      assert.match(await source.innerText(), /Mine[^]*Not aligned/);
      await source.locator('td[data-label="Messages"] a').click();
      await page.settled();
      assert.match(page.url(), /\/records\?domain=example\.com&source=service:acme-mailer&result=fail$/);
      assert.ok((await rows(page, 'Records').count()) > 0);
      await page.goBack();
      await page.settled();
      await rows(page, 'Sources affected').first().locator('td.lead a').click();
      await page.settled();
      assert.match(page.url(), /\/source\?domain=example\.com&key=service:acme-mailer$/);
    }));

  test('what it says of impact, blockers and scope is what the API says', LIMIT, () =>
    visit('./domain?name=example.com&policy=reject', {}, async (page) => {
      const impact = page.locator('#impact');
      const said = await api('domains/example.com/impact?policy=reject');
      const words = await impact.innerText();
      assert.ok(said.blockers.length > 0 && said.scope.length > 0 && said.notes.includes('mailing_lists'));
      for (const { text } of [...said.blockers, ...said.scope]) assert.ok(words.includes(text), text);
      assert.match(words, /RFC 9989 \(section 7\.4\) advises against it where people post to mailing lists/);
      assert.match(await impact.locator('.mark').first().innerText(), new RegExp(`^${said.blockers.length} blockers`));
      assert.match(words, /Fix the blockers first, and keep the record as it is/);
      assert.equal(await impact.locator('.copy code').count(), 0, 'no record is proposed while mail of one’s own fails');
      assert.equal(await rows(page, 'Sources affected').count(), said.sources.length);
    }));

  test('with too little data there is no answer, and nothing is green', LIMIT, () =>
    visit('./domain?name=example.org', {}, async (page) => {
      const { evidence } = await api('domains/example.org/impact');
      assert.equal(evidence.sufficient, false);
      const impact = page.locator('#impact');
      assert.match(await impact.innerText(), /Not enough data to tell/);
      assert.equal(await impact.locator('.mark.good').count(), 0);
      await page.show('./domains');
      assert.match(await rows(page, 'Domains').filter({ hasText: 'example.org' }).locator('td[data-label="Enforcement"]').innerText(), /not enough data/);
    }));

  test('a change of its policy is in the chart and in the table, with the reports that saw it', LIMIT, () =>
    visit('./domain?name=example.com&window=90d', {}, async (page) => {
      const seen = rows(page, 'Policy over time');
      assert.deepEqual((await seen.locator('td.lead').allInnerTexts()).map((text) => /p=\w+/.exec(text)[0]), ['p=quarantine', 'p=none']);
      assert.equal(await page.locator('.chart .happened').count(), 1);
      assert.match(await page.locator('.chart svg').first().getAttribute('aria-label'), /p=quarantine/);
      const link = seen.last().locator('td[data-label="Reports"] a');
      const reports = number(await link.innerText());
      await link.click();
      await page.settled();
      const { searchParams } = new URL(page.url());
      const { reports: counted } = await api(`summary?domain=example.com&from=${searchParams.get('from')}&to=${searchParams.get('to')}`);
      assert.equal(counted, reports);
    }));

  test('a name that is only seen in From leads to its mail and to the policy above', LIMIT, () =>
    visit('./domain?name=news.example.com', {}, async (page) => {
      await page.locator('.lead').getByRole('link', { name: 'example.com' }).click();
      await page.settled();
      assert.equal(await page.locator('h1').innerText(), 'example.com');
      await page.goBack();
      await page.settled();
      await page.locator('.notice a').click();
      await page.settled();
      assert.match(page.url(), /\/records\?domain=example\.com&header_from=news\.example\.com$/);
    }));

  test('on paper it says of which days it is, and keeps every column', LIMIT, () =>
    visit('./domain?name=example.com', {}, async (page) => {
      assert.equal(await page.locator('.printed').isVisible(), false);
      await page.emulateMedia({ media: 'print' });
      await page.setViewportSize({ width: 718, height: 1000 }); // A4 with margins
      assert.ok((await overflow(page)) <= 0, 'wider than the paper');
      assert.match(await page.locator('.printed').innerText(), /\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d/);
      assert.equal(await page.locator('#impact .switch').isVisible(), false);
      assert.match(await page.locator('#impact h2').innerText(), /p=(quarantine|reject)/);
      for (const cell of await rows(page, 'Sources affected').first().locator('td').all()) assert.ok(await cell.isVisible());
    }));
});

describe('the DNS today, against reports', { concurrency: false }, () => {
  test('the overview says first that a host of one’s own sends from outside of SPF, and leads to it', { ...LIMIT, ...own }, () =>
    visit('./', {}, async (page) => {
      const first = page.locator('.attention').first().locator('li').first();
      assert.match(await first.innerText(), /^mx\.example\.com[^]*mx\.example\.com, a host of yours, sent [\d,]+ messages as example\.com from 2001:db8:4a:1::25, which the SPF of example\.com does not cover/);
      await first.getByRole('link').click();
      await page.settled();
      assert.match(page.url(), /\/source\?key=ip:2001:db8:4a:1::25/);
      await page.show('./domain?name=example.com');
      const card = page.locator('#dns');
      assert.match(await card.innerText(), /SPF has 1 range by 0 look-ups of 10\. Its zone is signed \(DNSSEC\), which this server’s resolver did not validate\./);
      assert.equal(await card.locator('.copy code').filter({ hasText: 'v=spf1' }).innerText(), 'example.com. TXT "v=spf1 ip4:203.0.113.0/28 -all"');
      assert.match(await card.locator('.findings li').first().innerText(), /a host of yours[^]*Add ip6:2001:db8:4a:1::25 to the SPF record/);
      const said = await api('domains/example.com/dns');
      assert.equal(await rows(page, 'Senders').count(), said.senders.length);
      assert.match(await rows(page, 'Senders').first().innerText(), /yes[^]*not in SPF/);
      assert.match(await rows(page, 'DKIM selectors').filter({ hasText: 's2025' }).innerText(), /missing/);
      assert.match(await card.innerText(), /Keys that nothing was signed with: spare\._domainkey\.example\.com/);
      assert.match(await card.innerText(), /<img src=x onerror="window\.pwned=1"> is no tag/);
      assert.equal(await page.evaluate(() => window.pwned), undefined);
    }));

  test('of many senders and findings the first are shown, all after a click, and only own senders raise an alarm', { ...LIMIT, ...own }, () =>
    visit('./domains', {}, async (page) => {
      await page.route('**/api/v1/domains/example.com/dns*', async (route) => {
        const response = await route.fetch();
        const json = await response.json();
        const [one] = json.senders;
        json.senders = Array.from({ length: 30 }, (_, n) => ({ ...one, source_ip: `192.0.2.${n}`, own: n === 0, in_spf: false }));
        const warning = { code: 'sender_nameless', severity: 'warning', text: 'it has no name', fix: null };
        json.findings = [...json.findings, ...Array.from({ length: 12 }, (_, n) => ({ ...warning, place: `${n}.2.0.192.in-addr.arpa PTR` }))];
        await route.fulfill({ response, json });
      });
      await page.show('./domain?name=example.com');
      const nameless = page.locator('#dns .findings li').filter({ hasText: 'it has no name' }).filter({ visible: true });
      assert.equal(await nameless.count(), 1);
      await nameless.getByText('11 findings more of this kind').click();
      assert.equal(await nameless.count(), 12);
      const shown = rows(page, 'Senders').filter({ visible: true });
      assert.equal(await shown.count(), 10);
      assert.equal(await shown.locator('.mark.bad').count(), 1);
      assert.equal(await shown.locator('.mark.so').count(), 9);
      await page.getByRole('button', { name: 'All 30 rows of Senders' }).click();
      assert.equal(await shown.count(), 30);
      assert.equal(await page.getByRole('button', { name: 'All 30 rows of Senders' }).count(), 0);
    }));

  test('a domain that never asked for reports to come here is marked', { ...LIMIT, ...own }, () =>
    visit('./domains', {}, async (page) => {
      assert.match(await rows(page, 'Domains').filter({ hasText: 'example.org' }).innerText(), /unsolicited/);
      await page.show('./domain?name=example.org');
      assert.match(await page.locator('#dns').innerText(), /Unsolicited: its DMARC record names no mailbox of this server/);
    }));

  test("others' domains do not count, and are shown apart", { ...LIMIT, ...own }, async () => {
    here.ruad.sql(`SELECT ruad.set_own_domains('{example.com,*.example.com}')`);
    try {
      await visit('./domains', {}, async (page) => {
        const names = () => rows(page, 'Domains').locator('td.lead').allInnerTexts();
        assert.deepEqual(await names(), ['example.com', 'news.example.com']);
        assert.match(await page.locator('main').innerText(), /Reports on 2 domains of others, with [\d,]+ messages, do not count\./);
        await page.getByRole('link', { name: 'Show them' }).click();
        await page.settled();
        assert.deepEqual(await names(), ['example.org', 'hostile.example']);
        assert.match(await page.getByRole('list', { name: 'Filters in effect' }).innerText(), /Others' domains[^]*only these/);
      });
    } finally {
      here.ruad.sql(`SELECT ruad.set_own_domains('{}')`);
    }
  });
});
