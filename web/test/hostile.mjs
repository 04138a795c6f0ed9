// What was recorded by somebody hostile (F29, F33): forty texts as attribute, event, status, name and log; nothing of them runs, becomes markup or
// reorders what stands beside it. Long texts are shown whole.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, open } from './lab.mjs';
import { infections } from './rendered.mjs';

test('forty hostile texts stay text on every screen', async () => {
  const { page, book, close } = await open('/traces?since=1h&name=hostile.root');
  await page.waitForSelector('.traces tbody tr');
  const { traces } = await ask(page, '/api/traces?since=1h&name=hostile.root');
  const id = traces[0].trace_id;
  const { spans } = await ask(page, `/api/traces/${id}`);
  assert.equal(spans.length, 41);
  let shown = 0;
  for (const span of spans) {
    await page.goto(`${page.url().split('#')[0]}#/traces/${id}/${span.span_id}`);
    await page.waitForFunction((wanted) => document.querySelector('.span-panel')?.textContent.includes(wanted) && document.querySelector('.span-panel a[href^="#/logs"]'), span.span_id);
    assert.deepEqual(await page.evaluate(infections), [], span.name);
    const value = span.attributes.value;
    if (value && /^[ -~]+$/.test(value)) {
      assert.ok((await page.textContent('.span-panel')).includes(value), value);
      shown++;
    }
  }
  assert.ok(shown >= 30, `${shown} shown as they are`);
  for (const hash of ['/logs?since=1h&grep=hostile', '/traces?since=1h', `/sql?q=${encodeURIComponent("SELECT name, attributes, events, status_message FROM spans WHERE name LIKE '%hit%' OR name LIKE '%script%'")}`]) {
    await page.goto(`${page.url().split('#')[0]}#${hash}`);
    await page.waitForSelector('.vrow, tbody tr');
    await page.waitForTimeout(300);
    assert.deepEqual(await page.evaluate(infections), [], hash);
  }
  assert.deepEqual(book.errors, []);
  await close();
});

test('10,000 characters are shown whole and break nothing', async () => {
  const { page, close } = await open(`/sql?q=${encodeURIComponent("SELECT printf('%.*c', 10000, 'x') AS long, '<script>globalThis.hit=1</script>' AS script, char(27) || '[31m' || char(8238) || 'txt' AS escapes")}`);
  await page.waitForSelector('.sql tbody tr');
  const cells = await page.$$eval('.sql tbody td', (all) => all.map((cell) => cell.textContent));
  assert.ok(cells[0].length === 10000 && /^x+$/.test(cells[0]), String(cells[0].length));
  assert.equal(cells[1], '<script>globalThis.hit=1</script>');
  assert.equal(cells[2], '\\x1b[31m\\u202etxt');
  const [inner, scroll] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
  assert.ok(scroll <= inner + 1);
  await close();
});

test('markup that got in would be found', async () => {
  const { page, close } = await open('/sql');
  await page.evaluate(() => document.querySelector('main').append(document.createElement('img'), '\u202e'));
  const found = (await page.evaluate(infections)).join();
  assert.match(found, /<img>/);
  assert.match(found, /U\+202e/);
  await close();
});

test('the browser itself refuses inline code, foreign scripts and foreign requests', async () => {
  const { page, close } = await open('/sql');
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.hit = 1';
    document.body.append(script);
    const asked = await fetch('http://192.0.2.1/').then(() => 'asked', () => 'refused');
    return [globalThis.hit, asked];
  });
  assert.deepEqual(ran, [null, 'refused'].map((value) => value ?? undefined));
  await close();
});
