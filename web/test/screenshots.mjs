// Pictures of every screen for docs/images, called by ./dev screenshots. Usage: screenshots.mjs OUT; HONEYTEL, HONEYLINK_HOME,
// HONEYLINK_WEB_MODULES and HONEYLINK_CHROMIUM say with what. Ends with 1 when a screen is not drawn.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { chromium } = createRequire(`${process.env.HONEYLINK_WEB_MODULES}/`)('playwright-core');
const out = process.argv[2];
const view = spawn(process.env.HONEYTEL, ['view', '--no-open'], { stdio: ['ignore', 'pipe', 'inherit'] });
const url = await new Promise((done, failed) => {
  view.stdout.on('data', (chunk) => {
    const found = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(String(chunk));
    if (found) done(found[0]);
  });
  view.on('exit', (code) => failed(new Error(`honeytel view ended with ${code}`)));
});
const browser = await chromium.launch({ executablePath: process.env.HONEYLINK_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
let state;

async function shoot(name, hash, { scheme = 'dark', locale = 'en-GB', ready, act, height = 820 } = {}) {
  const context = await browser.newContext({ ...(state ? { storageState: state } : {}), colorScheme: scheme, locale, viewport: { width: 1280, height }, timezoneId: 'Asia/Tokyo' });
  const page = await context.newPage();
  await page.goto(state ? `${new URL(url).origin}/#${hash}` : `${url}&to=${hash}`);
  await page.waitForSelector(ready, { timeout: 15_000 });
  state ??= await context.storageState();
  await act?.(page);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(out, `${name}.png`) });
  await context.close();
}

/** The trace worth showing: with an error, else the one with the most spans. */
async function bestTrace() {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  await page.goto(new URL(url).origin);
  const { traces } = await page.evaluate(async () => (await fetch('/api/traces?since=1h&name=session.establish&limit=200')).json());
  await context.close();
  const worth = (trace) => (trace.errors > 0 ? 1000 : 0) + trace.spans;
  return traces.reduce((best, trace) => (worth(trace) > worth(best) ? trace : best)).trace_id;
}

const box = async (page) => {
  const rect = await page.locator('canvas.heat').boundingBox();
  if (!rect) return;
  await page.mouse.move(rect.x + rect.width * 0.55, rect.y + 6);
  await page.mouse.down();
  await page.mouse.move(rect.x + rect.width * 0.99, rect.y + rect.height * 0.55, { steps: 4 });
  await page.mouse.up();
  await page.waitForTimeout(600);
};
const openSpan = async (page) => {
  for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key);
  await page.waitForSelector('.span-panel h4');
};

try {
  const chart = '.detail .u-over';
  await shoot('page-slis', '/slis?since=5m', { ready: chart, height: 1240 });
  await shoot('page-compare', '/slis/session_establishment_latency_p95?since=5m', { ready: 'canvas.heat', act: box });
  await shoot('page-slis-light-ja', '/slis?since=5m', { ready: chart, scheme: 'light', locale: 'ja-JP' });
  await shoot('page-traces', '/traces?since=15m&name=session.establish', { ready: 'tbody tr', height: 620 });
  const trace = await bestTrace();
  await shoot('page-trace', `/traces/${trace}`, { ready: '.waterfall canvas', act: openSpan, height: 720 });
  await shoot('page-trace-light-ja', `/traces/${trace}`, { ready: '.waterfall canvas', scheme: 'light', locale: 'ja-JP', act: openSpan, height: 720 });
  await shoot('page-logs', '/logs?since=5m&level=info', { ready: '.vrow' });
  await shoot('page-sql', '/sql', { ready: 'tbody tr', height: 620 });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
  view.kill('SIGTERM');
}
