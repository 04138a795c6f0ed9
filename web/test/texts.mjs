// The catalogue of texts: complete in every language, with the same place holders, each key used and none missing. checkTexts() is what
// texts.test.mjs breaks once per rule.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LANGUAGES = ['en', 'ja', 'es', 'zh'];
// Words that are the same in more than one language may be short; a sentence that is the same was forgotten.
const SAME_MAX = 12;
// t(`level.${state}`) and its like: keys that are put together.
const PREFIXES = /t\(`([a-z_]+\.)\$\{/g;
const QUOTED = /'([a-z_]+(?:\.[a-z_0-9]+)?)'/g;

export function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(join(folder, entry.name))
      : entry.name.endsWith('.ts') && entry.name !== 'texts.ts' ? [readFileSync(join(folder, entry.name), 'utf8')] : [],
  );
}

const holders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort().join();

export function checkTexts(texts, code) {
  const found = [];
  const used = new Set(code.flatMap((text) => [...text.matchAll(QUOTED)].map((match) => match[1])));
  const prefixes = code.flatMap((text) => [...text.matchAll(PREFIXES)].map((match) => match[1]));
  for (const [key, all] of Object.entries(texts)) {
    if (all.length !== LANGUAGES.length) found.push(`${key}: ${all.length} languages`);
    all.forEach((text, i) => {
      if (!text?.trim()) found.push(`${key}: no text in ${LANGUAGES[i]}`);
      else if (holders(text) !== holders(all[0])) found.push(`${key}: place holders differ in ${LANGUAGES[i]}`);
      else if (i > 0 && text === all[0] && text.replace(/\{\w+\}/g, '').length > SAME_MAX) found.push(`${key}: not translated to ${LANGUAGES[i]}`);
    });
    if (!used.has(key) && !prefixes.some((prefix) => key.startsWith(prefix))) found.push(`${key}: nobody uses it`);
  }
  for (const text of code) {
    for (const [, key] of text.matchAll(/\bt\(\s*'([^']+)'/g)) if (!(key in texts)) found.push(`${key}: no such text`);
    // Words in the code itself: capitalised text between tags of h() would be English in every language.
    for (const [, words] of text.matchAll(/,\s*'([A-Z][a-z]+ [a-z]+[^']*)'\s*[,)]/g)) found.push(`"${words}": a text outside of the catalogue`);
  }
  return found;
}
