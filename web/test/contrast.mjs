// Contrast after WCAG 2: reads the colours of app.css and computes every pair of text and ground (4.5:1) and of drawing and ground (3:1), light
// and dark. checkContrast() is what contrast.test.mjs breaks once.

const TEXT = 4.5;
const DRAWING = 3;
const GROUNDS = ['ground', 'panel', 'raised'];
const WORDS = ['ink', 'dim', 'accent', 'lost'];
const LEVELS = ['ok', 'yellow', 'orange', 'red', 'no-data'];
const VEILED = ['band-yellow', 'band-orange', 'band-red', 'pick'];
const DRAWN = ['line-50', 'line-99', 'span-1', 'span-2', 'span-3', 'span-4', 'span-5', 'span-6', 'accent', 'focus', 'mini'];

function parse(text) {
  const hex = /^#([0-9a-f]{6})$/i.exec(text.trim());
  if (hex) return [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16)).concat(1);
  const rgb = /^rgb\(([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?\)$/.exec(text.trim());
  if (rgb) return [rgb[1], rgb[2], rgb[3], rgb[4] ?? '1'].map(Number);
  throw new Error(`not a colour: ${text}`);
}

/** {light: {name: [r, g, b, a]}, dark: {…}} of a style sheet's custom properties. */
export function colours(css) {
  const themes = { light: {}, dark: {} };
  for (const [, name, value] of css.matchAll(/--([\w-]+):\s*([^;]+);/g)) {
    const pair = /^light-dark\((.+?\)?), ?((?:#|rgb).+)\)$/.exec(value.trim());
    if (!pair && !/^(#|rgb)/.test(value.trim())) continue;
    themes.light[name] = parse(pair ? pair[1] : value);
    themes.dark[name] = parse(pair ? pair[2] : value);
  }
  return themes;
}

export function over([r, g, b, a], ground) {
  return [r, g, b].map((channel, i) => channel * a + ground[i] * (1 - a)).concat(1);
}

export function luminance(colour) {
  const [r, g, b] = colour.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

export function checkContrast(css) {
  const found = [];
  for (const [theme, all] of Object.entries(colours(css))) {
    const get = (name) => {
      if (!all[name]) found.push(`${theme}: app.css has no --${name}`);
      return all[name] ?? [0, 0, 0, 1];
    };
    const need = (least, name, colour, groundName, ground) => {
      const ratio = contrast(over(colour, ground), ground);
      if (ratio < least) found.push(`${theme}: ${name} on ${groundName} is ${ratio.toFixed(2)}:1, ${least}:1 at least`);
    };
    for (const ground of GROUNDS) for (const word of WORDS) need(TEXT, word, get(word), ground, get(ground));
    for (const level of LEVELS) need(TEXT, 'on-level', get('on-level'), level, get(level));
    for (const veil of VEILED) for (const word of ['ink', 'dim']) if (veil === 'pick' || word === 'ink') need(TEXT, word, get(word), `${veil} on panel`, over(get(veil), get('panel')));
    for (const drawn of DRAWN) if (drawn !== 'mini') need(DRAWING, drawn, get(drawn), 'panel', get('panel'));
  }
  return found;
}
