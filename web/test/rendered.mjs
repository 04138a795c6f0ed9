// Runs in the page: the contrast of every text that is seen against what lies behind it, as it was really drawn. Canvases are not seen by it:
// their colours are those of app.css (contrast.mjs).

/** Findings: "3.10:1 'text' (selector)". */
export function faintTexts() {
  const channel = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (c) => 0.2126 * channel(c[0] / 255) + 0.7152 * channel(c[1] / 255) + 0.0722 * channel(c[2] / 255);
  const parse = (text) => {
    const parts = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest('.unseen, option, noscript, [aria-hidden="true"]')) continue;
    const behind = ground(element);
    const [high, low] = [luminance(over(parse(getComputedStyle(element).color), behind)), luminance(behind)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)}:1 '${text.slice(0, 40)}' (${element.tagName} ${element.className})`);
  }
  return found;
}

/** Markup that a text became, code of it that ran, characters that reorder text and were not spelled out. */
export function infections() {
  const found = [];
  if (globalThis.hit !== undefined) found.push('a recorded text ran');
  const alien = document.querySelectorAll('img, iframe, object, embed, video, audio, marquee, math, template, base, body script, body style, details, form[action], a[href^="javascript:"]');
  for (const element of alien) found.push(`<${element.tagName.toLowerCase()}> ${element.outerHTML.slice(0, 80)}`);
  const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.exec(document.body.textContent);
  if (raw) found.push(`a raw U+${raw[0].charCodeAt(0).toString(16)} in the text`);
  return found;
}
