// upload.test.mjs - reports that an editor uploads on Intake: by the button or dragged, and what became of each.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, LIMIT, open, overflow, violations } from './browser.mjs';
import { nginx } from './nginx.mjs';
import { reportXml, reports } from './reports.mjs';
import { server } from './server.mjs';

const skip = process.env.RUAD_URL && 'needs a server of its own';
const files = (page) => page.getByRole('list', { name: /Uploaded files|Hochgeladene Dateien/ }).getByRole('listitem');

describe('uploads', { concurrency: false, skip }, () => {
  let ruad;
  let proxies;
  let browser;
  const given = { name: 'receiver!example.com!1!2.xml', mimeType: 'text/xml' };
  before(async () => {
    ruad = await server({ 'http.auth': 'proxy', 'http.proxy_secret': 'word', 'http.editors': 'anna', 'lmtp.max_message_size': '1M' });
    await ruad.deliver(reports(1));
    proxies = Object.fromEntries(await Promise.all(['anna', 'otto'].map(async (user) => [user, await nginx(ruad.url, { headers: { 'X-Remote-User': user, 'X-Ruad-Proxy-Secret': 'word' } })])));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    for (const proxy of Object.values(proxies ?? {})) await proxy.stop();
    await ruad?.stop();
  });

  const intake = async (user, options) => {
    const page = await open(browser, proxies[user].url, options);
    await page.show('intake');
    return page;
  };
  const xml = (id) => {
    const records = [{ ip: '192.0.2.25', count: 3, dkim: 'pass', from: 'example.com', signatures: [['example.com', 's1', 'pass']] }];
    return Buffer.from(reportXml({ org: 'Reporter', email: 'dmarc@reporter.example', id, domain: 'example.com', begin: Math.floor(Date.now() / 86_400_000 - 2) * 86_400, records }));
  };
  const close = async (page) => {
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  };
  const ended = (page, n) => page.waitForFunction((count) => document.querySelectorAll('.uploads li').length === count && !/waiting|wartet/.test(document.querySelector('.uploads').innerText) && !document.querySelector('.uploads progress'), n);

  test('are for editors', LIMIT, async () => {
    const page = await intake('otto');
    assert.equal(await page.locator('input[type="file"]').count(), 0);
    await close(page);
  });

  test('say what became of each file, and lead to it', LIMIT, async () => {
    const page = await intake('anna');
    const choose = page.getByLabel('Choose files');
    await choose.focus();
    assert.ok(await choose.evaluate((one) => one === document.activeElement), 'can be reached by keyboard');
    await choose.setInputFiles([
      { ...given, buffer: xml('upload-1') },
      { ...given, buffer: xml('upload-1') },
      { name: 'broken <b>.gz', mimeType: 'application/gzip', buffer: Buffer.from('1f8b0800', 'hex') },
    ]);
    await ended(page, 3);
    const said = await files(page).allInnerTexts();
    assert.match(said[0], /receiver!example\.com!1!2\.xml[^]*Stored \(mail \d+\)/);
    assert.match(said[1], /Duplicate: already stored \(mail \d+\)/);
    assert.match(said[2], /broken <b>\.gz[^]*Unreadable: kept as received \(mail \d+\)/);
    assert.deepEqual(await violations(page), []);
    assert.equal(await overflow(page), 0);
    await page.settled();
    assert.match(await page.getByRole('table', { name: 'Mail' }).innerText(), /archive/, 'the list below is up to date');
    await files(page).first().getByRole('link').click();
    await page.settled();
    assert.match(page.url(), /\/report\?id=\d+$/);
    assert.match(await page.locator('main').innerText(), /upload-1/);
    await close(page);
  });

  test('may be dragged onto the page', LIMIT, async () => {
    const page = await intake('anna', { locale: 'de-DE', width: 390 });
    const data = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], 'gezogen.xml', { type: 'text/xml' }));
      return transfer;
    }, xml('upload-2').toString());
    const area = page.locator('.drop');
    await area.dispatchEvent('dragover', { dataTransfer: data });
    assert.match(await area.getAttribute('class'), /over/);
    await area.dispatchEvent('drop', { dataTransfer: data });
    await ended(page, 1);
    assert.match(await files(page).first().innerText(), /gezogen\.xml[^]*Gespeichert \(Mail \d+\)/);
    assert.doesNotMatch(await area.getAttribute('class'), /over/);
    assert.equal(await overflow(page), 0);
    await close(page);
  });

  test('that cannot be stored say why', LIMIT, async () => {
    const page = await intake('anna');
    await page.getByLabel('Choose files').setInputFiles([{ name: 'large', mimeType: 'text/plain', buffer: Buffer.alloc(900_000, 'x') }]);
    await ended(page, 1);
    assert.match(await files(page).first().innerText(), /Not stored\.[^]*lmtp\.max_message_size/);
    assert.match((await page.faults()).join(), /status of 413/);
    await page.context().close();
  });
});
