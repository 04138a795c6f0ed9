// What the browser tests stand on: a home filled by the real demo and by tests/programs/page_data, an engine, `honeytel view`, and Chromium.
// Everything is made in a folder of its own, on free ports, and ended by its process id.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const { chromium } = createRequire(`${process.env.HONEYLINK_WEB_MODULES}/`)('playwright-core');
const honeytel = process.env.HONEYTEL;
const pageData = join(dirname(honeytel), 'tests/programs/page_data');
export const BIG = 100_000;

export const lab = { home: '', base: '', state: undefined, browser: undefined };
const running = [];
const environment = { ...process.env, HONEYLINK_TELEMETRY: '', HONEYLINK_ENVIRONMENT: 'development' };

export function start(program, words) {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'], env: environment });
  running.push(child);
  return child;
}

const died = [];
/** What is to live until tearDown: that it ended before fails the tests, with its reason. */
function serve(words) {
  const child = start(honeytel, words);
  child.on('exit', (code, signal) => { if (!lab.ends) died.push(`honeytel ${words[0]} ended by itself: ${signal ?? code}`); });
  return child;
}

export async function run(program, words) {
  const child = start(program, words);
  child.stdout.resume();
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${code}`);
}

export const record = (...words) => run(honeytel, ['record', ...words, '--home', lab.home]);
export const pulse = (count, ms) => run(pageData, [lab.home, 'pulse', String(count), String(ms)]);

async function address(view) {
  for await (const chunk of view.stdout) {
    const found = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(String(chunk));
    if (found) return found[0];
  }
  throw new Error('honeytel view printed no address');
}

/** A home as one finds it after half a minute of the lossy demo, a trace of 100,000 spans and forty hostile texts. */
export async function setUp() {
  lab.home = mkdtempSync(join(tmpdir(), 'honeytel_page_'));
  const demo = run(honeytel, ['demo', '--headless', '--duration', '32s', '--scenario', 'lossy', '--home', lab.home]);
  await new Promise((done) => setTimeout(done, 1500));
  await run(pageData, [lab.home, 'big', String(BIG)]);
  await run(pageData, [lab.home, 'hostile']);
  await demo;
  serve(['agent', '--home', lab.home]).stdout.resume();
  const view = serve(['view', '--no-open', '--home', lab.home]);
  const url = await address(view);
  lab.view = view.pid;
  lab.base = new URL(url).origin;
  lab.browser = await chromium.launch({ executablePath: process.env.HONEYLINK_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  const context = await lab.browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForSelector('header nav');
  await page.waitForFunction(() => !location.hash.includes('token'));
  await page.waitForSelector('.card, .empty, .problem');
  lab.state = await context.storageState();
  await context.close();
}

export async function tearDown() {
  await lab.browser?.close();
  lab.ends = true;
  for (const child of running) if (child.exitCode === null) child.kill('SIGTERM');
  await Promise.all(running.filter((child) => child.exitCode === null && child.signalCode === null).map((child) => once(child, 'exit')));
  if (lab.home) rmSync(lab.home, { recursive: true, force: true });
  if (died.length) throw new Error(died.join('; '));
}

/** Opens a view and keeps book: what went wrong, and what was asked of whom. */
export async function open(hash, { scheme = 'dark', locale = 'en-GB', width = 1360, height = 900, settings, init } = {}) {
  const context = await lab.browser.newContext({ storageState: lab.state, colorScheme: scheme, locale, viewport: { width, height }, timezoneId: 'Asia/Tokyo', permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  const book = { errors: [], requests: [] };
  page.on('pageerror', (error) => book.errors.push(`exception: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error') book.errors.push(`console: ${message.text()}`); });
  page.on('dialog', (dialog) => { book.errors.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.on('request', (request) => book.requests.push(request.url()));
  page.on('response', (response) => { if (response.status() >= 400) book.errors.push(`${response.status()} ${response.url()}`); });
  if (settings) await page.addInitScript((chosen) => localStorage.setItem('honeytel', JSON.stringify(chosen)), settings);
  if (init) await page.addInitScript(init);
  await page.goto(`${lab.base}/#${hash}`);
  await page.waitForSelector('main .view');
  return { page, book, close: () => context.close() };
}

/** GET of the server, as the page asks. */
export const ask = (page, path) => page.evaluate(async (where) => (await fetch(where)).json(), path);

export const honeytelJson = (words) => JSON.parse(execFileSync(honeytel, [...words, '--json', '--home', lab.home], { env: environment, maxBuffer: 1 << 28 }));
