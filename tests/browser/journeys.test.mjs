// journeys.test.mjs - the ways through the page: from a number to what is behind it, filters, Back, search, keyboard, phone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LIMIT, overflow, violations } from './browser.mjs';
import { setup } from './setup.mjs';

const here = setup();
const { visit } = here;
const number = (text) => Number(text.replaceAll(',', ''));
const sum = (texts) => texts.reduce((all, text) => all + number(text), 0);
const thirtyDays = () => {
  const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  return { to, from: new Date(Date.parse(to) - 30 * 86_400_000).toISOString().slice(0, 10) };
};
const api = async (path) => (await fetch(`${here.ruad.url}api/v1/${path}`)).json();

describe('from a number to what is behind it', { concurrency: false }, () => {
  test('from the overview over the failing messages of a source to the report and its records', LIMIT, () =>
    visit('./', {}, async (page) => {
      await page.locator('.attention a.amount').first().click();
      await page.settled();
      assert.match(page.url(), /\/records\?source=[^&]+&result=fail$/);
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
      assert.match(await page.title(), /^Records/);
      await page.unfold();
      const aligned = await page.locator('td[data-label="DKIM aligned"], td[data-label="SPF aligned"]').allInnerTexts();
      assert.ok(aligned.length >= 2 && aligned.every((text) => text.trim() !== 'pass'), 'every row failed both');
      await page.locator('td[data-label="Report"] a').first().click();
      await page.settled();
      assert.match(page.url(), /\/report\?id=\d+/);
      const rows = page.locator('tbody tr');
      const all = await rows.count();
      await page.getByRole('button', { name: /^Only failures/ }).click();
      await page.settled();
      assert.match(page.url(), /result=fail/);
      const failed = await rows.count();
      assert.ok(failed > 0 && failed < all, `${failed} of ${all} failed`);
      await page.goBack();
      await page.settled();
      assert.match(page.url(), /\/records\?/);
      await page.goBack();
      await page.settled();
      assert.equal(page.url(), here.ruad.url);
      assert.match(await page.locator('.sentence').innerText(), /passed DMARC/);
    }));

  test('what is less urgent is unfolded with the keyboard, and leads on like the rest', LIMIT, async () => {
    for (const [locale, more, rest] of [['en', '5 more, less urgent.', '2 more are not listed.'], ['de', '5 weitere, weniger dringend.', '2 weitere sind nicht aufgeführt.']])
      await visit('./help', { locale }, async (page) => {
        await page.route('**/api/v1/advice?*', async (route) => {
          const answer = await route.fetch();
          const advice = await answer.json();
          const items = advice.items.slice(0, -3);
          await route.fulfill({ response: answer, json: { ...advice, items, more: advice.items.slice(-3), total: items.length + 5 } });
        });
        await page.show('./');
        const summary = page.locator('details > summary').filter({ hasText: more });
        const list = page.locator('details > .attention');
        assert.equal(await list.isVisible(), false);
        await summary.focus();
        await page.keyboard.press('Enter');
        assert.equal(await list.isVisible(), true);
        assert.equal(await list.locator('li').count(), 3);
        assert.ok((await page.locator('details:has(.attention) .foot').innerText()).startsWith(rest));
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press('Tab');
        assert.equal(await list.locator('li a').first().evaluate((link) => link === document.activeElement), true);
        await page.keyboard.press('Enter');
        await page.settled();
        assert.match(page.url(), /\/(domain|source|intake)\b/);
      });
  });

  test('the sentence and the chart say what the API says', LIMIT, () =>
    visit('./?domain=example.com', {}, async (page) => {
      const { from, to } = thirtyDays();
      const { totals } = await api(`summary?domain=example.com&from=${from}&to=${to}`);
      assert.ok(totals.messages > 0);
      const sentence = await page.locator('.sentence').innerText();
      assert.ok(sentence.startsWith(`${totals.messages.toLocaleString('en-US')} messages`), sentence);
      assert.equal(sum(await page.locator('.chart tbody tr td[data-label="All"] > div').allTextContents()), totals.messages, 'the chart adds up to it');
    }));

  test('every number of the overview leads to a list that holds it', LIMIT, () =>
    visit('./', {}, async (page) => {
      const { from, to } = thirtyDays();
      const links = await page.locator('.stats a, .legend a').evaluateAll((all) => all.map((one) => [one.textContent, one.getAttribute('href')]));
      assert.ok(links.length >= 10);
      for (const [text, to_] of links) {
        const url = new URL(to_, here.ruad.url);
        if (!url.pathname.endsWith('/records') || text.includes('%')) continue;
        const { totals } = await api(`summary?from=${from}&to=${to}&${url.searchParams}`);
        assert.equal(totals.messages, number(text), to_);
      }
    }));

  test('Intake leads to what was not read, and its counts to the things counted', LIMIT, () =>
    visit('./intake', {}, async (page) => {
      assert.ok((await page.locator('tbody tr').count()) >= 2);
      await page.locator('.stats a').filter({ hasText: /./ }).last().click();
      await page.settled();
      assert.match(page.url(), /status=quarantined/);
      const rows = await page.locator('section:has(.switch) tbody tr').allInnerTexts();
      assert.ok(rows.length > 0 && rows.every((text) => text.includes('Unreadable')), rows.join('|'));
      await page.locator('.counts div').filter({ hasText: 'TLS report' }).getByRole('link').click();
      await page.settled();
      assert.deepEqual(await page.locator('.chips bdi').allInnerTexts(), ['Kind: TLS report']);
      await page.locator('section:has(.switch) tbody a[href^="./tlsreport"]').first().click();
      await page.settled();
      assert.match(page.url(), /\/tlsreport\?id=\d+$/);
    }));

  test('the SQL on Help runs as the auditor and gives the numbers of the page', { ...LIMIT, skip: process.env.RUAD_URL && 'needs a database of its own' }, () =>
    visit('./help?domain=example.com', {}, async (page) => {
      const queries = (await page.locator('.queries code').allInnerTexts()).map((text) => text.replaceAll('\n', ' '));
      assert.ok(queries.length >= 10);
      for (const query of queries) here.ruad.sql(query, 'ruad_auditor');
      const { from, to } = thirtyDays();
      const { totals } = await api(`summary?domain=example.com&from=${from}&to=${to}`);
      const [messages, pass, dkim, spf] = here.ruad.sql(queries[0], 'ruad_auditor').trim().split('|').map(Number);
      assert.deepEqual({ messages, pass, dkim, spf }, { messages: totals.messages, pass: totals.pass, dkim: totals.dkim_aligned, spf: totals.spf_aligned });
      const licences = await (await fetch(`${here.ruad.url}licences.txt`)).text();
      assert.match(licences, /Preact[^]*Jason Miller[^]*WITHOUT WARRANTY/);
    }));
});

describe('filters', { concurrency: false }, () => {
  test('a filtered and sorted list is the same after a reload, and Back leaves it', LIMIT, () =>
    visit('./', {}, async (page) => {
      await page.getByRole('navigation').getByRole('link', { name: 'Sources' }).click();
      await page.settled();
      await page.getByRole('combobox', { name: 'Domain' }).selectOption('example.com');
      await page.getByRole('checkbox', { name: 'and subdomains' }).check();
      await page.getByRole('button', { name: '90 days' }).click();
      await page.getByRole('button', { name: 'Failed', exact: true }).click();
      await page.getByRole('button', { name: /^Messages/ }).click();
      await page.settled();
      assert.equal(page.url(), `${here.ruad.url}sources?domain=example.com&subdomains=1&window=90d&result=fail&sort=-messages`);
      const before = await page.locator('tbody').innerText();
      const counts = (await page.locator('td[data-label="Messages"]').allInnerTexts()).map(number);
      assert.ok(counts.length > 2);
      assert.deepEqual(counts, [...counts].sort((a, b) => b - a));
      assert.equal(await page.locator('th[aria-sort="descending"]').innerText().then((text) => text.replace(/\W/g, '')), 'Messages');
      await page.reload();
      await page.settled();
      assert.equal(await page.locator('tbody').innerText(), before);
      await page.goBack();
      await page.settled();
      assert.equal(page.url(), here.ruad.url);
    }));

  test('filters narrow a list, stand as chips, and are cleared one by one or all at once', LIMIT, () =>
    visit('./records?domain=example.com', {}, async (page) => {
      await page.getByRole('searchbox', { name: 'IP or network' }).fill('198.51.100.0/24');
      await page.keyboard.press('Enter');
      await page.settled();
      await page.getByRole('button', { name: 'Failed', exact: true }).click();
      await page.settled();
      const ips = await page.locator('tbody .ip').allInnerTexts();
      assert.ok(ips.length > 0);
      assert.ok(ips.every((ip) => ip.startsWith('198.51.100.')), ips.join());
      assert.deepEqual(await page.locator('.chips bdi').allInnerTexts(), ['DMARC: Failed', 'IP or network: 198.51.100.0/24']);
      await page.getByRole('button', { name: 'Clear filter DMARC: Failed' }).click();
      await page.settled();
      assert.doesNotMatch(page.url(), /result/);
      await page.getByRole('searchbox', { name: 'IP or network' }).fill('192.0.2.250');
      await page.keyboard.press('Enter');
      await page.settled();
      const empty = page.locator('main .notice');
      assert.match(await empty.innerText(), /No record/);
      await page.waitForFunction(() => /[\d,]+ messages from \d+ sources/.test(document.querySelector('main .notice')?.textContent ?? ''));
      assert.deepEqual(await violations(page), []);
      await empty.getByRole('link', { name: /^Clear/ }).click();
      await page.settled();
      assert.ok((await page.locator('tbody tr').count()) > 10);
      assert.doesNotMatch(page.url(), /ip=/);
    }));

  test('a parameter that the page does not know is said so, and can be taken off', LIMIT, () =>
    visit('./sources?result=fail&lable=mine&window=45d', {}, async (page) => {
      assert.match(await page.locator('.notice').innerText(), /does not understand[^]*lable=mine, window=45d/);
      await page.getByRole('link', { name: 'Take it off' }).click();
      await page.settled();
      assert.equal(page.url(), `${here.ruad.url}sources?result=fail`);
      assert.equal(await page.locator('.notice').count(), 0);
    }));

  test('from without to, and to without from, are the windows of the API', LIMIT, () =>
    visit('./', {}, async (page) => {
      const day = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
      for (const query of [`from=${day(5)}`, `to=${day(3)}`]) {
        const { totals } = await (await fetch(`${here.ruad.url}api/v1/summary?${query}`)).json();
        await page.show(`./?${query}`);
        assert.match(await page.locator('.sentence').innerText(), new RegExp(`^${totals.messages.toLocaleString('en-US')} messages? reported in ${query.startsWith('from') ? day(5) : day(33)} to`));
      }
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

  test('a table is available as CSV with the same rows', LIMIT, () =>
    visit('./reports?domain=example.com&window=7d', {}, async (page) => {
      const rows = await page.locator('tbody tr').count();
      const href = await page.getByRole('link', { name: 'Reports as CSV' }).getAttribute('href');
      const response = await fetch(new URL(href, here.ruad.url));
      assert.match(response.headers.get('content-type'), /^text\/csv/);
      assert.equal((await response.text()).trim().split('\r\n').length, rows + 1);
    }));

  test('a table that the API has no list for is available as CSV, too, and no cell of it is a formula', LIMIT, () =>
    visit('./intake', {}, async (page) => {
      await page.unfold();
      const coming = page.waitForEvent('download');
      await page.getByRole('link', { name: 'items by day as CSV' }).click();
      const download = await coming;
      assert.equal(download.suggestedFilename(), 'items-by-day.csv');
      const text = (await (await download.createReadStream()).toArray()).join('');
      assert.match(text, /^"Day","All"/);
      assert.equal(text.trim().split('\r\n').length, 31);
    }));
});

describe('the bar', { concurrency: false }, () => {
  test('search finds a domain, an address and a reporter by keyboard alone', LIMIT, () =>
    visit('./', {}, async (page) => {
      const search = page.getByRole('combobox', { name: 'Search' });
      const look = async (text, wanted) => {
        await search.fill(text);
        await page.locator('#found [role=option]').filter({ hasText: wanted }).first().waitFor();
        const options = await page.locator('#found [role=option]').allInnerTexts();
        const at = options.findIndex((one) => one.includes(wanted));
        for (let step = 0; step < at; step++) await page.keyboard.press('ArrowDown');
        assert.equal(await page.locator(`#${await search.getAttribute('aria-activedescendant')}`).innerText(), options[at]);
        await page.keyboard.press('Enter');
        await page.settled();
      };
      await look('example.or', 'domain');
      assert.match(page.url(), /\/domain\?domain=example\.org&name=example\.org$/);
      await look('198.51.100.42', 'address');
      assert.match(page.url(), /\/ip\?ip=198\.51\.100\.42$/);
      await look('Yahoo', 'reporter');
      assert.match(page.url(), /\/reports\?reporter=Yahoo$/);
      await search.fill('exam');
      await page.locator('#found [role=option]').first().waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press('Escape');
      assert.equal(await page.locator('#found [role=option]').count(), 0);
    }));

  test('the keyboard reaches the content first, sorts, and changes the theme', LIMIT, () =>
    visit('./sources', {}, async (page) => {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.textContent.trim()), 'Skip to the content');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
      await page.locator('th').getByRole('button', { name: /^Messages/ }).focus();
      await page.keyboard.press('Enter');
      assert.match(page.url(), /sort=-messages$/);
      await page.keyboard.press('Enter');
      assert.match(page.url(), /sort=messages$/);
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

  test('the explanations are in the language of the browser, or in the one chosen, which is kept', LIMIT, async () => {
    const texts = Object.fromEntries(['en', 'de'].map((lang) => [lang, JSON.parse(readFileSync(new URL(`../../web/texts/${lang}.json`, import.meta.url), 'utf8'))]));
    const shows = async (page, lang) => {
      await page.getByText(texts[lang].hints.all).waitFor();
      const help = await page.locator('main').innerText();
      for (const text of [texts[lang].pages.help, texts[lang].reasons.fail_unaligned, texts[lang].numbers.messages, texts[lang].caveats.days.text]) assert.ok(help.includes(text), text);
      assert.equal(await page.locator('main div[lang]').getAttribute('lang'), lang);
      assert.equal(await page.locator('footer span').getAttribute('lang'), lang);
      assert.deepEqual((await page.locator('main h2').allInnerTexts()).filter((title) => !Object.values(texts[lang].ui).includes(title)), []);
      assert.ok(!/\{\w+\}/.test(help.replaceAll(/'\{[^']*\}'/g, '')), 'every blank is filled in');
      assert.ok((await overflow(page)) <= 0);
      assert.deepEqual(await violations(page), []);
    };
    await visit('./help', {}, async (page) => {
      await shows(page, 'en');
      await page.getByRole('button', { name: 'Erklärungen auf Deutsch' }).click();
      await shows(page, 'de');
      await page.reload();
      await page.settled();
      await shows(page, 'de');
      await page.getByRole('link', { name: 'Sources', exact: true }).click();
      await page.getByText(texts.de.pages.sources).waitFor();
      await page.getByRole('button', { name: 'Explanations in English' }).click();
      await page.getByText(texts.en.pages.sources).waitFor();
    });
    await visit('./help', { locale: 'de-AT', width: 390 }, async (page) => {
      await shows(page, 'de');
      await page.getByRole('button', { name: 'Explanations in English' }).click();
      await shows(page, 'en');
    });
  });

  test('a phone has every page and the search behind a button', LIMIT, () =>
    visit('./', { width: 390 }, async (page) => {
      const nav = page.getByRole('navigation', { name: 'Pages' });
      assert.equal(await nav.isVisible(), false);
      await page.getByRole('button', { name: 'Menu' }).click();
      assert.deepEqual(await nav.getByRole('link').allInnerTexts(), ['Overview', 'Domains', 'Sources', 'Records', 'Reports', 'Reporters', 'Failures', 'TLS', 'Intake', 'Help']);
      assert.ok(await page.getByRole('combobox', { name: 'Search' }).isVisible());
      assert.ok((await overflow(page)) <= 0);
      assert.deepEqual(await violations(page), []);
      await nav.getByRole('link', { name: 'Help' }).click();
      await page.settled();
      assert.match(page.url(), /\/help$/);
      assert.equal(await nav.isVisible(), false);
    }));

  test('a phone loses no data: every cell of the table is in its card', LIMIT, () =>
    visit('./sources?domain=example.com', { width: 390 }, async (page) => {
      const row = page.locator('tbody tr').first();
      const cells = await row.locator('td').all();
      assert.equal(cells.length, await page.locator('thead th').count());
      assert.ok(cells.length >= 8);
      const seen = async () => (await Promise.all(cells.map((cell) => cell.isVisible()))).filter(Boolean).length;
      assert.equal(await seen(), 3, 'the heading and two columns at first');
      await row.getByRole('button', { name: 'more' }).click();
      assert.equal(await seen(), cells.length);
      assert.equal(await cells[1].evaluate((cell) => getComputedStyle(cell, '::before').content), `"${await cells[1].getAttribute('data-label')}"`);
      await page.getByRole('button', { name: /^Messages/ }).click();
      assert.match(page.url(), /sort=-messages/);
    }));
});
