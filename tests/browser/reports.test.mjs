// reports.test.mjs - the records, the reports and one report: filters, what is kept apart, and what there is to take along.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMIT, open, violations } from './browser.mjs';
import { setup } from './setup.mjs';

const here = setup();
const { visit } = here;
const number = (text) => Number(text.replaceAll(',', ''));
const api = async (path) => (await fetch(`${here.ruad.url}api/v1/${path}`)).json();

// The text of a download that a click starts, and its name.
async function downloaded(page, click) {
  const coming = page.waitForEvent('download');
  await click();
  const download = await coming;
  return { name: download.suggestedFilename(), text: (await (await download.createReadStream()).toArray()).join('') };
}

describe('records', { concurrency: false }, () => {
  test('aligned and raw are kept apart: a raw pass of another domain is no pass', LIMIT, () =>
    visit('./records?ip=198.51.100.42', {}, async (page) => {
      await page.unfold();
      const row = page.locator('tbody tr').first();
      for (const method of ['DKIM', 'SPF']) {
        assert.equal((await row.locator(`td[data-label="${method} aligned"]`).innerText()).trim(), 'fail');
        assert.match(await row.locator(`td[data-label="${method} raw"]`).innerText(), /^pass .*mailer\.\s?example\.net/);
      }
      assert.match(await row.locator('td[data-label="Class"]').innerText(), /Not aligned\s+The service authenticates as its own domain, not as yours\./);
    }));

  test('the sum above the list is that of all records, not only of those loaded', LIMIT, () =>
    visit('./records?domain=example.com&result=fail', {}, async (page) => {
      const { totals } = await api('summary?domain=example.com&result=fail');
      await page.locator('.legend').waitFor();
      const parts = (await page.locator('.legend li:has(.swatch) b').allInnerTexts()).map(number);
      assert.equal(parts.reduce((all, one) => all + one, 0), totals.messages);
      assert.match(await page.locator('.legend').innerText(), new RegExp(`${totals.messages.toLocaleString('en-US')} messages`));
    }));

  test('any filter narrows the list, and is one of the API by the same name', LIMIT, () =>
    visit('./records?domain=example.com', {}, async (page) => {
      await page.locator('.more summary').click();
      await page.getByRole('combobox', { name: 'Class' }).selectOption('fail_altered');
      await page.getByRole('combobox', { name: 'Disposition' }).selectOption('quarantine');
      await page.getByRole('searchbox', { name: 'Reporter' }).fill('google.com');
      await page.keyboard.press('Enter');
      await page.settled();
      const query = new URL(page.url()).searchParams;
      assert.deepEqual(Object.fromEntries(query), { domain: 'example.com', reporter: 'google.com', class: 'fail_altered', disposition: 'quarantine' });
      await page.unfold();
      const { items } = await api(`records?${query}&limit=100`);
      assert.ok(items.length > 0);
      assert.equal(await page.locator('tbody tr').count(), items.length);
      for (const text of await page.locator('td[data-label="Class"]').allInnerTexts()) assert.match(text, /Signature broken/);
      for (const text of await page.locator('td[data-label="Disposition"]').allInnerTexts()) assert.match(text, /quarantine/);
    }));
});

describe('reports', { concurrency: false }, () => {
  test('an id is found at whatever date, and failed messages lead to the failing records', LIMIT, () =>
    visit('./reports?domain=example.com', {}, async (page) => {
      const { items } = await api('reports?domain=example.com&from=2000-01-01&limit=500');
      const old = items.at(-1);
      await page.getByRole('searchbox', { name: 'Report ID' }).fill(old.report_id);
      await page.keyboard.press('Enter');
      await page.settled();
      assert.equal(await page.locator('tbody tr').count(), 1);
      await page.unfold();
      await page.locator('td[data-label="Failed"] a').click();
      await page.settled();
      assert.match(page.url(), new RegExp(`/report\\?.*id=${old.id}&result=fail`));
      const report = await api(`reports/${old.id}`);
      assert.equal(await page.locator('tbody tr').count(), report.record.filter((record) => !record.dmarc_pass).length);
    }));
});

describe('a report', { concurrency: false }, () => {
  test('is available as XML, as JSON and its records as CSV', LIMIT, () =>
    visit(`./report?id=${here.ids.report}`, {}, async (page) => {
      const report = await api(`reports/${here.ids.report}`);
      const xml = await downloaded(page, () => page.getByRole('link', { name: 'XML' }).click());
      assert.match(xml.name, /\.xml$/);
      assert.equal(xml.text.split('<record>').length - 1, report.records_total);
      const json = await downloaded(page, () => page.getByRole('link', { name: 'JSON' }).click());
      assert.equal(json.name, `report-${report.id}.json`);
      assert.deepEqual(JSON.parse(json.text), report);
      const csv = await downloaded(page, () => page.getByRole('link', { name: 'Records as CSV' }).click());
      assert.equal(csv.text.trim().split('\r\n').length, (await page.locator('tbody tr').count()) + 1);
    }));

  test('shows what the API has of it: metadata, policy, the mail that brought it', LIMIT, () =>
    visit(`./report?id=${here.ids.report}`, {}, async (page) => {
      const { report_metadata: meta, policy_published: policy, mail, sha256, messages, pass } = await api(`reports/${here.ids.report}`);
      const facts = Object.fromEntries(await page.locator('.facts > div').evaluateAll((all) => all.map((one) => [...one.children].map((cell) => cell.innerText.trim()))));
      assert.equal(facts['Report ID'], meta.report_id);
      assert.equal(facts['p'], policy.p);
      assert.equal(facts['sp'], policy.sp);
      assert.equal(facts['Subject'], mail.subject);
      assert.equal(facts['SHA-256'], sha256);
      assert.equal(number(await page.locator('.stat').filter({ hasText: 'Failed' }).locator('dd a').innerText()), messages - pass);
      const addresses = await page.locator('tbody tr td:first-child a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
      assert.ok(addresses.length > 0 && addresses.every((href) => href.startsWith('./ip?ip=')));
    }));

  test('that came again, or with other content, leads to those mails', LIMIT, async () => {
    const { items } = await api('intake/events?status=conflict&status=duplicate');
    const ids = [...new Set(items.map(({ report }) => report))].filter(Boolean);
    assert.ok(ids.length > 0);
    for (const id of ids)
      await visit(`./report?id=${id}`, {}, async (page) => {
        const { duplicates, conflicts } = await api(`reports/${id}`);
        const links = page.locator('.facts a[href^="./intake"]');
        assert.deepEqual((await links.allInnerTexts()).map((text) => parseInt(text, 10)), [duplicates, conflicts].filter((n) => n > 0));
        await links.first().click();
        await page.settled();
        assert.equal(await page.locator('section:has(.switch) tbody tr').count(), duplicates || conflicts);
        await page.getByRole('link', { name: 'Show all' }).click();
        await page.settled();
        assert.ok((await page.locator('section:has(.switch) tbody tr').count()) >= ids.length);
      });
  });

  test('that is excluded is struck through, says by whom and why, and is in no total', LIMIT, async () => {
    if (!here.ruad.own) return;
    const { id, report_id, messages } = (await api('reports?domain=example.com&limit=1')).items[0];
    const totals = async () => (await api('summary?domain=example.com')).totals.messages;
    const before = await totals();
    const set = (excluded) => here.ruad.sql(`SELECT ruad.set_excluded(${excluded}, ${id}, NULL, NULL, 'sent by <b>nobody</b>', 'kim')`);
    set(true);
    try {
      assert.equal(await totals(), before - messages);
      await visit(`./reports?report_id=${encodeURIComponent(report_id)}`, {}, async (page) => {
        const row = page.locator('tbody tr.struck');
        assert.equal(await row.count(), 1);
        assert.match(await row.locator('td > div').first().evaluate((cell) => getComputedStyle(cell).textDecorationLine), /line-through/);
        assert.match(await row.innerText(), /excluded/);
      });
      await visit(`./report?id=${id}`, {}, async (page) => {
        assert.match(await page.locator('.notice').innerText(), /This report is excluded\.\s+It is in no number since [^]*, by\s+kim\s*:\s+sent by <b>nobody<\/b>/);
        assert.match(await page.locator('.stats dd').first().evaluate((cell) => getComputedStyle(cell).textDecorationLine), /line-through/);
        assert.ok((await page.locator('tbody tr').count()) > 0, 'its records are listed');
      });
    } finally {
      set(false);
    }
    assert.equal(await totals(), before);
  });

  test('on paper it keeps every column, and nothing that only a screen can use', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    await page.show(`./report?id=${here.ids.report}`);
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 718, height: 1000 }); // A4 within its margins
    for (const hidden of ['header', 'footer', '.actions', '.switch', '.csv']) assert.equal(await page.locator(hidden).first().isVisible(), false, hidden);
    for (const cell of await page.locator('tbody tr').first().locator('td').all()) assert.ok(await cell.isVisible());
    await page.context().close();
  });

  test('that is not there is said to be so in the words of the API', LIMIT, async () => {
    const page = await open(here.browser, here.ruad.url);
    await page.show('./report?id=999999999');
    assert.match(await page.getByRole('alert').innerText(), /404/);
    assert.deepEqual(await violations(page), []);
    await page.context().close();
  });
});
