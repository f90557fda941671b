// Headless Chromium by wire: one command per line of JSON on standard input, `{ id, do, … }`, one answer per line,
// `{ id, ok }` or `{ id, fault }`. Ends with its standard input.
import { createInterface } from 'node:readline';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const { executable, patience } = JSON.parse(process.argv[2]);
const launch = {
  executablePath: executable,
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--ignore-certificate-errors',
  ],
};
const browser = await chromium.launch(launch);
const contexts = new Map();
const pages = new Map();
const folders = [];
let count = 0;

// Violations are console errors too, but not in every case: this asks the browser itself.
const watchPolicy = () => document.addEventListener('securitypolicyviolation', (violation) => {
  console.error(`policy violation: ${violation.effectiveDirective} ${violation.blockedURI}`);
});

async function newContext({ locale, script, blockCookiesOf, thirdPartyCookies }) {
  const options = { locale: locale ?? 'en-US', javaScriptEnabled: script ?? true, ignoreHTTPSErrors: true };
  let context;
  if (blockCookiesOf || thirdPartyCookies) {
    const folder = mkdtempSync(join(tmpdir(), 'interop-profile-'));
    folders.push(folder);
    mkdirSync(join(folder, 'Default'));
    const exceptions = blockCookiesOf ? { cookies: { [`${blockCookiesOf},*`]: { setting: 2 } } } : {};
    const profile = { content_settings: { exceptions }, cookie_controls_mode: thirdPartyCookies ? 0 : 1 };
    writeFileSync(join(folder, 'Default', 'Preferences'), JSON.stringify({ profile }));
    context = await chromium.launchPersistentContext(folder, { ...launch, ...options });
  } else {
    context = await browser.newContext(options);
  }
  context.setDefaultTimeout(patience);
  await context.addInitScript(watchPolicy);
  const name = `c${(count += 1)}`;
  contexts.set(name, context);
  return name;
}

async function newPage({ context }) {
  const page = await contexts.get(context).newPage();
  const name = `p${(count += 1)}`;
  const seen = { requests: [], complaints: [] };
  page.on('console', (message) => {
    if (message.type() === 'error' || /Content[- ]Security[- ]Policy/i.test(message.text())) {
      seen.complaints.push({ at: message.location().url || page.url(), text: message.text() });
    }
  });
  page.on('pageerror', (fault) => seen.complaints.push({ at: page.url(), text: String(fault) }));
  page.on('request', (request) => {
    if (request.isNavigationRequest()) seen.requests.push(`${request.method()} ${request.url()}`);
  });
  pages.set(name, { page, seen });
  return name;
}

const state = async (page) => ({ url: page.url(), title: await page.title() });

async function shoot({ page: name, folder, name: file, widths, schemes }) {
  const { page } = pages.get(name);
  const wide = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 500 ? 844 : 800 });
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(folder, `${file}.${colorScheme}.${width}.png`), fullPage: true, animations: 'disabled' });
    }
    const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (needed > there) wide.push(`${file} needs ${needed} of ${there} pixels`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  return wide;
}

const commands = {
  context: newContext,
  page: newPage,
  async open({ page: name, url }) {
    const { page } = pages.get(name);
    const response = await page.goto(url);
    return { ...(await state(page)), status: response?.status() };
  },
  async go({ page: name, way }) {
    const { page } = pages.get(name);
    const response = await (way === 'back' ? page.goBack() : page.reload());
    return { ...(await state(page)), status: response?.status() };
  },
  async click({ page: name, selector }) {
    await pages.get(name).page.click(selector);
  },
  async fill({ page: name, selector, text }) {
    const { page } = pages.get(name);
    const before = await page.inputValue(selector);
    await page.fill(selector, text);
    return before;
  },
  async press({ page: name, key }) {
    await pages.get(name).page.keyboard.press(key);
  },
  async wait({ page: name, selector }) {
    const { page } = pages.get(name);
    await page.waitForSelector(selector, { state: 'attached' });
    return state(page);
  },
  async text({ page: name, selector }) {
    return pages.get(name).page.textContent(selector);
  },
  async focused({ page: name }) {
    return pages.get(name).page.evaluate(() => document.activeElement?.id ?? '');
  },
  async cookies({ context }) {
    return contexts.get(context).cookies();
  },
  async restore({ context, cookies }) {
    await contexts.get(context).addCookies(cookies);
  },
  async seen({ page: name }) {
    return pages.get(name).seen;
  },
  shoot,
  async close({ context }) {
    await contexts.get(context).close();
    contexts.delete(context);
  },
};

async function obey(line) {
  const { id, do: what, ...given } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ id, ok: (await commands[what](given)) ?? null }));
  } catch (fault) {
    const { page } = pages.get(given.page) ?? {};
    const where = page && `\nat ${page.url()}:\n${await page.innerText('body').catch(String)}`;
    console.log(JSON.stringify({ id, fault: `${what} ${JSON.stringify(given)}: ${fault}${where ?? ''}` }));
  }
}

createInterface({ input: process.stdin }).on('line', obey).on('close', async () => {
  for (const context of contexts.values()) await context.close().catch(() => {});
  await browser.close().catch(() => {});
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  process.exit();
});
console.log(JSON.stringify({ version: browser.version() }));
