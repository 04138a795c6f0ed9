// Every screen in dark and light, English and Japanese: drawn without an error, from its address alone, asking nobody but the server, legible.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, lab, open } from './lab.mjs';
import { faintTexts } from './rendered.mjs';

const SCREENS = [
  { name: 'SLIs', hash: '/slis?since=1h', ready: '.detail .u-over', words: { en: ['Budget left', 'All metrics'], ja: ['残り予算', 'すべてのメトリクス'] }, same: /^honeytel sli/ },
  { name: 'one SLI', hash: '/slis/packet_loss_rate?since=15m', ready: '.detail .u-over', words: { en: ['packet_loss_rate', 'transport'], ja: ['packet_loss_rate', '目標'] }, same: /^honeytel sli packet_loss_rate/ },
  { name: 'traces', hash: '/traces?since=1h&errors=1', ready: 'tbody tr', words: { en: ['Root span'], ja: ['ルートスパン'] }, same: /^honeytel traces --errors --since 1h/ },
  { name: 'a trace', hash: '/traces/{trace}', ready: '.waterfall canvas', words: { en: ['critical path', 'Self time'], ja: ['クリティカルパス'] }, same: /^honeytel traces [0-9a-f]{32}/ },
  { name: 'logs and alerts', hash: '/logs?since=1h&level=info', ready: '.vrow', words: { en: ['Alerts', 'Logs'], ja: ['アラート', 'ログ'] }, same: /^honeytel logs --level info --since 1h/ },
  { name: 'SQL', hash: `/sql?q=${encodeURIComponent('SELECT name, count(*) AS n FROM spans GROUP BY name ORDER BY n DESC')}`, ready: 'tbody tr', words: { en: ['Run'], ja: ['実行'] }, same: /^honeytel sql 'SELECT name/ },
];

async function someTrace() {
  const { page, close } = await open('/sql');
  const { traces } = await ask(page, '/api/traces?since=1h&name=session.establish&limit=20');
  await close();
  return traces.find((trace) => trace.spans > 3)?.trace_id ?? traces[0].trace_id;
}

for (const [scheme, locale, language] of [['dark', 'en-GB', 'en'], ['light', 'en-GB', 'en'], ['dark', 'ja-JP', 'ja'], ['light', 'ja-JP', 'ja']]) {
  test(`every screen is drawn, ${scheme}, ${language}`, async () => {
    const trace = await someTrace();
    for (const screen of SCREENS) {
      const { page, book, close } = await open(screen.hash.replace('{trace}', trace), { scheme, locale });
      await page.waitForSelector(screen.ready, { timeout: 10_000 });
      await page.waitForTimeout(300);
      const text = await page.evaluate(() => document.body.innerText);
      for (const word of screen.words[language]) assert.ok(text.includes(word), `${screen.name}: '${word}' is missing in ${text.slice(0, 300)}`);
      assert.match(await page.textContent('.command code'), screen.same, screen.name);
      assert.equal(await page.getAttribute('html', 'lang'), language);
      assert.deepEqual(await page.evaluate(faintTexts), [], `${screen.name}, ${scheme}`);
      assert.deepEqual(book.errors, [], screen.name);
      assert.deepEqual(book.requests.filter((url) => !url.startsWith(lab.base) && !url.startsWith('data:')), [], screen.name);
      await close();
    }
  });
}

test('a text that is too faint on the page is found', async () => {
  const { page, close } = await open('/sql');
  await page.evaluate(() => { document.querySelector('header nav a').style.color = getComputedStyle(document.querySelector('header')).backgroundColor; });
  assert.match((await page.evaluate(faintTexts)).join(), /1\.\d\d:1 '(SLIs|SLI)'/);
  await close();
});

test('an address that is none leads home, an unknown SLI and trace are said in words', async () => {
  const { page, close } = await open('/slis/no_such_sli');
  await page.waitForSelector('.empty');
  assert.match(await page.textContent('main'), /No SLI is called no_such_sli/);
  await page.evaluate(() => { location.hash = '#/nowhere/at/all'; });
  await page.waitForFunction(() => location.hash.startsWith('#/slis'));
  await page.evaluate(() => { location.hash = '#/traces/ffffffffffffffffffffffffffffffff'; });
  await page.waitForSelector('main .problem');
  assert.ok((await page.textContent('main .problem')).length > 10);
  await close();
});

test('without its cookie the page says what to do', async () => {
  const context = await lab.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${lab.base}/#/slis`);
  await page.waitForSelector('.problem');
  assert.match(await page.textContent('.problem'), /no session.*Open the whole address/s);
  await context.close();
});

test('times on the panel are exact to the nanosecond', async () => {
  const trace = await someTrace();
  const { page, close } = await open(`/traces/${trace}`);
  const { spans } = await ask(page, `/api/traces/${trace}`);
  await page.waitForSelector('.waterfall canvas');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.span-panel .mono');
  const text = await page.textContent('.span-panel');
  const span = spans.find((one) => text.includes(one.span_id));
  assert.ok(span, text);
  const nano = BigInt(span.start_unix_nano);
  const iso = `${new Date(Number(nano / 1000000n)).toISOString().slice(0, 19)}.${String(nano % 1000000000n).padStart(9, '0')}Z`;
  assert.ok(text.includes(iso), `${iso} in ${text}`);
  assert.ok(text.includes(`${new Intl.NumberFormat('en').format(BigInt(span.duration_ns))} ns`), text);
  await close();
});

test('narrow windows and large text still show everything without sideways scrolling', async () => {
  for (const hash of ['/slis', '/traces', '/logs', '/sql']) {
    const { page, close } = await open(hash, { width: 700, height: 900 });
    await page.waitForTimeout(400);
    const [inner, scroll] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
    assert.ok(scroll <= inner + 1, `${hash}: ${scroll} of ${inner}`);
    await close();
  }
});
