// browser.mjs - Debian's Chromium with a profile of its own, and pages that keep account of what must not happen.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { contract } from './contract.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const SIZES = { 1280: { width: 1280, height: 900 }, 390: { width: 390, height: 844 } };
export const LIMIT = { timeout: 300_000 }; // of each test: a dead browser or server must not hang the suite

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });

const contracts = new Map(); // by origin, which may have a prefix

// What is wrong with an answer of the API that the page got; undefined for what is none.
async function wrong(response, origin) {
  const { pathname } = new URL(response.url());
  const at = pathname.indexOf('/api/v1/');
  if (at < 0 || response.status() === 304) return undefined;
  if (!contracts.has(origin)) contracts.set(origin, contract(origin));
  const judge = await contracts.get(origin);
  const body = await response.text().catch(() => undefined); // undefined: the page went on before it was there
  const type = (response.headers()['content-type'] ?? '').split(';')[0];
  return body === undefined ? undefined : judge(response.request().method(), pathname.slice(at), response.status(), type, body);
}

/*
 * A page in a context of its own. It collects, in words: console messages above info, uncaught errors, violations of the CSP,
 * requests to another origin (which are not let out), and answers of the API that openapi.json does not allow. page.faults() is
 * all of that so far. page.settled() waits until nothing is loading, and the words of the help are there (the footer's stand for all).
 */
export async function open(browser, origin, { width = 1280, theme = 'light', ...options } = {}) {
  const context = await browser.newContext({ viewport: SIZES[width], colorScheme: theme, ...options });
  const page = await context.newPage();
  const faults = [];
  const judged = [];
  const fault = (text) => void faults.push(text);
  page.faults = async () => (await Promise.all(judged), faults);
  page.on('console', (message) => ['error', 'warning', 'assert'].includes(message.type()) && fault(`console: ${message.text()}`));
  page.on('pageerror', (error) => fault(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => fault(`dialog: ${dialog.message()}`) ?? dialog.dismiss());
  page.on('response', (response) => void judged.push(wrong(response, origin).then((words) => words && fault(words), (error) => fault(String(error)))));
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
    page.waitForFunction(
      () => document.querySelector('h1') && document.querySelector('footer')?.innerText.trim() && !document.querySelector('.skeleton, [aria-busy="true"]'),
      null,
      { timeout: 15_000 },
    );
  page.show = async (address) => {
    await page.goto(new URL(address, origin).href);
    await page.settled();
  };
  // All that is folded away: details, and the rest of cards.
  page.unfold = () =>
    page.evaluate(async () => {
      for (const details of document.querySelectorAll('main details')) details.open = true;
      for (const button of document.querySelectorAll('main .fold[aria-expanded="false"]')) button.click();
      await new Promise(requestAnimationFrame);
    });
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
