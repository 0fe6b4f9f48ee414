// setup.mjs - for a test file: a server filled with reports and a browser, before its tests and stopped after them.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launch, open } from './browser.mjs';
import { fill } from './reports.mjs';
import { server } from './server.mjs';

/*
 * { ruad, browser, ids, visit }, there once the tests run. settings are those of ruad. visit(address, options, what) opens a page,
 * calls what(page), and asserts that nothing happened that must not.
 */
export function setup(settings) {
  const here = {};
  before(async () => {
    here.ruad = await server(settings);
    here.ids = await fill(here.ruad);
    here.browser = await launch();
  });
  after(async () => {
    await here.browser?.close();
    await here.ruad?.stop();
  });
  here.visit = async (address, options, what) => {
    const page = await open(here.browser, here.ruad.url, options);
    await page.show(address);
    await what(page);
    assert.deepEqual(await page.faults(), []);
    await page.context().close();
  };
  return here;
}
