// browser.mjs - Debian's Chromium with a profile of its own, and pages that keep account of what must not happen.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const SIZES = { 1280: { width: 1280, height: 900 }, 390: { width: 390, height: 844 } };

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });

/*
 * A page in a context of its own. page.faults collects, in words: console messages above info, uncaught errors, violations of
 * the CSP, and requests to another origin (which are not let out). page.settled() waits until nothing is loading.
 */
export async function open(browser, origin, { width = 1280, theme = 'light', ...options } = {}) {
  const context = await browser.newContext({ viewport: SIZES[width], colorScheme: theme, ...options });
  const page = await context.newPage();
  page.faults = [];
  const fault = (text) => void page.faults.push(text);
  page.on('console', (message) => ['error', 'warning', 'assert'].includes(message.type()) && fault(`console: ${message.text()}`));
  page.on('pageerror', (error) => fault(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => fault(`dialog: ${dialog.message()}`) ?? dialog.dismiss());
  await page.exposeFunction('reportViolation', (what) => fault(`CSP: ${what}`));
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (event) =>
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`)));
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (new URL(url).origin === new URL(origin).origin) return route.continue();
    fault(`request to ${url}`);
    return route.abort();
  });
  page.settled = () =>
    page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('.skeleton, [aria-busy="true"]'), null, { timeout: 15_000 });
  page.show = async (address) => {
    await page.goto(new URL(address, origin).href);
    await page.settled();
  };
  return page;
}

// By how many pixels the page is wider than its window.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// Violations of WCAG 2.0 to 2.2, levels A and AA, in words.
export async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  return found.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target} ${node.any.concat(node.all).map((check) => check.message).join('; ')}`).slice(0, 3).join(' | ')}`);
}
