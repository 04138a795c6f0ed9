// Without a browser: texts and colours of the page, and that the checks of both can fail; what is exact about numbers and times.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkContrast } from './contrast.mjs';
import { checkTexts, sources } from './texts.mjs';

const web = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const { buildSync } = createRequire(`${process.env.HONEYLINK_WEB_MODULES}/`)('esbuild');
const css = readFileSync(join(web, 'src/app.css'), 'utf8');

/** A module of the page as Node can run it; what it needs of a browser is given here. */
async function load(path) {
  globalThis.localStorage ??= { getItem: () => null, setItem: () => undefined };
  Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'], language: 'en' }, configurable: true });
  const built = buildSync({ entryPoints: [join(web, 'src', path)], bundle: true, format: 'esm', write: false, logLevel: 'error' });
  return import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString('base64')}`);
}

test('every text is there in four languages and is used', async () => {
  const { texts } = await load('core/texts.ts');
  assert.deepEqual(checkTexts(texts, sources(join(web, 'src'))), []);
  assert.ok(Object.keys(texts).length > 100);
});

test('a missing, an untranslated, an unused and an unknown text is found', async () => {
  const { texts } = await load('core/texts.ts');
  const code = sources(join(web, 'src'));
  const broken = (change) => checkTexts({ ...texts, ...change }, code).join('\n');
  const [en, ja, es, zh] = texts['alerts.none'];
  assert.match(broken({ 'alerts.none': [en, '', es, zh] }), /alerts\.none: no text in ja/);
  assert.match(broken({ 'alerts.none': [en, ja, en, zh] }), /alerts\.none: not translated to es/);
  assert.match(broken({ 'alerts.none': [en, ja, es] }), /alerts\.none: 3 languages/);
  assert.match(broken({ showing: [texts.showing[0], texts.showing[1], texts.showing[2], '显示 {n}'] }), /showing: place holders differ in zh/);
  assert.match(broken({ 'alerts.forgotten': [en, ja, es, zh] }), /alerts\.forgotten: nobody uses it/);
  assert.match(checkTexts(texts, [...code, "t('no.such')"]).join(), /no\.such: no such text/);
});

test('text has a contrast of 4.5:1 and drawings 3:1, in light and dark', () => assert.deepEqual(checkContrast(css), []));

test('a colour that is too faint is found', () => {
  const faint = css.replace(/--dim: light-dark\([^)]*\)/, '--dim: light-dark(#9aa7b4, #5d6a77)');
  assert.notEqual(faint, css);
  assert.match(checkContrast(faint).join('\n'), /light: dim on panel is 2\.\d+:1/);
  assert.match(checkContrast(faint).join('\n'), /dark: dim on panel is/);
});

test('nanoseconds survive the way from text to text', async () => {
  const { isoToNano, nanoToIso } = await load('core/format.ts');
  let seed = 20261127n;
  for (let i = 0; i < 2000; i++) {
    seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0x7fffffffffffffffn;
    const nano = (seed % 4102444800000000000n) - (i % 5 === 0 ? 1000000000000000000n : 0n);
    assert.equal(isoToNano(nanoToIso(nano)), nano, String(nano));
  }
  assert.equal(isoToNano('2026-11-27T20:37:57.123456789Z'), 1795811877123456789n);
  assert.equal(isoToNano('2026-11-27T21:37:57.1+01:00'), 1795811877100000000n);
  assert.equal(isoToNano('yesterday'), null);
});

test('durations and values stand in the unit of their size', async () => {
  const { duration, withUnit } = await load('core/format.ts');
  const shown = [[0, '0 ns'], [3574, '3.57 µs'], [650.5e6, '650.5 ms'], [10e9, '10 s'], [59.99e9, '1 min'], [300e9, '5 min'], [312e9, '5 min 12 s'], [3600e9, '1 h'], [90e12, '1 d 1 h']];
  for (const [ns, text] of shown) assert.equal(duration(ns), text);
  assert.equal(duration(-300e9), '-5 min');
  assert.equal(withUnit(0.000003574, 's'), '3.57 µs');
  assert.equal(withUnit(0.5, 'ms'), '500 µs');
  assert.equal(withUnit(0.052, '1'), '0.052');
  assert.equal(withUnit(512, 'By'), '512 By');
});

test('what would reorder, hide or colour text is spelled out', async () => {
  const { plain } = await load('core/format.ts');
  assert.equal(plain('\u001b[31mred\u202egpj.exe\u0000\u200b\u2028'), '\\x1b[31mred\\u202egpj.exe\\x00\\u200b\\u2028');
  assert.equal(plain('<script>'), '<script>');
  assert.equal(plain('x'.repeat(100), 10), 'xxxxxxxxxx…');
  assert.equal(plain({ a: [1, '\u0085'] }), '{"a":[1,"\\x85"]}');
});

test('bytes that are no trace are refused with words', async () => {
  const { TraceData } = await load('traces/trace_data.ts');
  assert.throws(() => new TraceData(new ArrayBuffer(10)), /not HTTRACE1/);
  const bytes = new ArrayBuffer(24);
  new Uint8Array(bytes).set(new TextEncoder().encode('HTTRACE1'));
  new DataView(bytes).setUint32(8, 1000000, true);
  assert.throws(() => new TraceData(bytes), /24 bytes cannot hold 1000000 spans/);
});

test('the built page is small and holds no way to run or fetch what was recorded', () => {
  const built = process.env.HONEYLINK_WEB_DIR;
  const files = ['index.html', 'app.js', 'app.css', 'favicon.svg'].map((name) => readFileSync(join(built, name)));
  const bytes = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  console.log(`page: ${bytes} bytes compressed`);
  assert.ok(bytes <= 120 * 1024, `${bytes} bytes`);
  // Licences stay in what is built; they are comments and name their origin.
  const text = files.slice(0, 3).join('\n').replace(/\/\*[!*][\s\S]*?\*\//g, '');
  assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function/);
  assert.deepEqual([...text.matchAll(/https?:\/\/[^\s"'`)]+/g)].map((match) => match[0]).filter((url) => url !== 'http://www.w3.org/2000/svg'), []);
  assert.doesNotMatch(files[0].toString(), /<style|style=|<script(?![^>]*src=)|\son\w+=/);
});

test('the types fit', () => {
  execFileSync(join(process.env.HONEYLINK_WEB_MODULES, 'node_modules/.bin/tsc'), ['-p', join(process.env.HONEYLINK_WEB_MODULES, 'page.tsconfig.json')], { stdio: 'inherit' });
});
