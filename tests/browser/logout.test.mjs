// logout.test.mjs - the page says who is signed in, and its link makes Chromium forget the password.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, LIMIT, open } from './browser.mjs';
import { server } from './server.mjs';

let browser, folder, ruad;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ruad-logout-'));
  chmodSync(folder, 0o755);
  const file = join(folder, 'htpasswd');
  writeFileSync(file, `anna:${spawnSync('openssl', ['passwd', '-6', 'secret'], { encoding: 'utf8' }).stdout}`);
  [browser, ruad] = await Promise.all([launch(), server({ 'http.auth': 'basic', 'http.htpasswd': file })]);
}, LIMIT);

after(async () => {
  await browser?.close();
  await ruad?.stop();
  rmSync(folder, { recursive: true });
});

test('Sign out makes the browser forget the password', LIMIT, async () => {
  const page = await open(browser, ruad.url);
  const address = new URL('openapi.json', ruad.url); // a page could not ask the API under such an address
  Object.assign(address, { username: 'anna', password: 'secret' });
  await page.goto(address.href);
  assert.equal((await page.goto(`${ruad.url}sources`)).status(), 200); // it knows the password
  await page.settled();
  assert.match(await page.locator('footer .user').innerText(), /^Signed in as anna · Sign out$/);

  const [answer] = await Promise.all([page.waitForResponse((response) => response.url() === `${ruad.url}logout`), page.getByRole('link', { name: 'Sign out' }).click()]);
  assert.equal(answer.status(), 401);
  await assert.rejects(page.goto(`${ruad.url}sources`), /ERR_INVALID_AUTH_CREDENTIALS/); // it has none, and nobody to ask
  await page.context().close();
});
