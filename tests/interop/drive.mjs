// Drives headless Chromium through logins. Reads one scenario as JSON from its argument:
//   { chromium, steps: [{ open }, { fill: [selector, text] }, { click }, { expect }] }
// and prints what the browser saw: the text at the end, cookies, requests, complaints in its console.
import { chromium } from 'playwright-core';

const scenario = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: scenario.chromium,
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});
const seen = { requests: [], complaints: [], filled: [], titles: [] };
try {
  const context = await browser.newContext({ locale: scenario.locale ?? 'en-US', javaScriptEnabled: scenario.script ?? true });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on('console', (message) => {
    if (message.type() === 'error' || /Content Security Policy/i.test(message.text())) {
      seen.complaints.push(message.text());
    }
  });
  page.on('pageerror', (fault) => seen.complaints.push(String(fault)));
  page.on('request', (request) => seen.requests.push(`${request.method()} ${request.url()}`));
  for (const step of scenario.steps) {
    if (step.open) await page.goto(step.open);
    if (step.expect) await page.waitForSelector(step.expect, { state: 'attached' });
    if (step.fill) {
      seen.filled.push(await page.inputValue(step.fill[0]));
      await page.fill(step.fill[0], step.fill[1]);
    }
    if (step.click) await page.click(step.click);
    seen.titles.push(await page.title());
  }
  seen.url = page.url();
  seen.text = await page.evaluate(() => document.querySelector('#result')?.textContent ?? document.body.innerText);
  seen.cookies = await context.cookies();
} catch (fault) {
  seen.fault = String(fault);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
