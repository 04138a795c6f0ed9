// The whole page without a pointer: the same keys as in the terminal.
import assert from 'node:assert/strict';
import test from 'node:test';
import { open } from './lab.mjs';

const hash = (page) => page.evaluate(() => location.hash);
const press = async (page, ...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};

test('from the SLIs to a span of a trace and back, by keys alone', async () => {
  const { page, book, close } = await open('/slis');
  await page.waitForSelector('.card');
  await press(page, 't');
  await page.waitForSelector('.traces tbody tr');
  await press(page, 'j', 'j', 'k');
  const chosen = await page.evaluate(() => document.activeElement.getAttribute('data-row'));
  await press(page, 'G', 'g');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('data-row')), chosen);
  await press(page, 'Enter');
  await page.waitForSelector('.waterfall canvas');
  assert.match(await hash(page), new RegExp(`^#/traces/${chosen}`));
  await press(page, 'j', 'Enter');
  await page.waitForSelector('.span-panel:not([hidden]) dd');
  assert.match(await hash(page), new RegExp(`^#/traces/${chosen}/[0-9a-f]{16}`));
  await press(page, 'ArrowLeft', 'ArrowRight', 'w', 'd', 'a', 's', '+', '-');
  await press(page, 'Escape');
  assert.equal(await page.isHidden('.span-panel'), true);
  await press(page, 'Escape');
  await page.waitForSelector('.traces tbody tr');
  assert.deepEqual(book.errors, []);
  await close();
});

test('views, filter, help, pause, clock, table and copy have their keys', async () => {
  const { page, book, close } = await open('/slis');
  await page.waitForSelector('.card');
  await press(page, '?');
  await page.waitForSelector('dialog[open]');
  assert.ok((await page.textContent('dialog')).includes('filter or search'));
  await press(page, 'Escape');
  await page.waitForFunction(() => document.querySelector('dialog') === null);
  await press(page, '3');
  await page.waitForFunction(() => location.hash.includes('n=3'));
  await page.waitForSelector('.detail .u-over');
  await press(page, 'v');
  await page.waitForSelector('.detail table.data');
  await press(page, 'v');
  await press(page, ' ');
  await page.waitForSelector('.live[aria-pressed="true"]');
  await press(page, ' ');
  await page.waitForSelector('.live[aria-pressed="false"]');
  await press(page, 'u');
  assert.equal(await page.inputValue('select >> nth=1'), 'utc');
  await press(page, 'l');
  await page.waitForSelector('.vrow');
  await press(page, '/');
  assert.equal(await page.evaluate(() => document.activeElement.matches('[data-filter]')), true);
  await page.keyboard.type('tjk');
  assert.match(await hash(page), /^#\/logs/);
  await press(page, 'Control+A', 'Delete', 'Escape', 'j', 'Enter');
  await page.waitForSelector('.fields');
  await press(page, 'x');
  await page.waitForSelector('.sql tbody tr');
  await press(page, '/', 'Control+A');
  await page.keyboard.type('SELECT 41 + 1 AS answer');
  await press(page, 'Control+Enter');
  await page.waitForFunction(() => document.querySelector('.sql tbody')?.textContent === '42');
  await press(page, 'Escape', 'c');
  await page.waitForSelector('.flash');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "honeytel sql 'SELECT 41 + 1 AS answer'");
  assert.deepEqual(book.errors, []);
  await close();
});

test('Tab reaches the skip link first, and what has the focus has a ring', async () => {
  const { page, close } = await open('/traces');
  await page.waitForSelector('.traces tbody tr');
  await press(page, 'Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await press(page, 'Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  for (let i = 0; i < 8; i++) {
    await press(page, 'Tab');
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(ring, 'none');
  }
  await close();
});

test('pictures have a sentence and a table', async () => {
  const { page, close } = await open('/slis');
  await page.waitForSelector('.detail .u-over');
  assert.match(await page.getAttribute('.lines', 'aria-label'), /points/);
  await page.waitForFunction(() => !document.querySelector('.heat') || document.querySelector('.heat').getAttribute('aria-label'));
  for (const name of await page.$$eval('svg, canvas', (all) => all.filter((one) => !one.closest('[aria-hidden="true"]') && !one.getAttribute('aria-label') && !one.closest('[role="img"]')).map((one) => one.outerHTML.slice(0, 80)))) assert.fail(name);
  for (const name of await page.$$eval('button, select, input, a[href]', (all) => all.filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label'))).map((one) => one.outerHTML.slice(0, 80)))) assert.fail(name);
  await close();
});
