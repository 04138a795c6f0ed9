// Numbers, times and recorded text as people read them. Times stay exact: nanoseconds are BigInt or decimal strings from end to end, and
// only what is shown is rounded; the exact form stands in a title or in the side panel.
import { language } from './i18n';
import { settings } from './settings';

// The same characters that the terminal never shows raw: C0, DEL, C1, line separators, bidi controls, zero-width ones.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const TEXT_MAX = 20000;

/** Recorded text made safe to look at: what would reorder or hide other text is spelled out. */
export function plain(text: unknown, max = TEXT_MAX): string {
  const all =
    typeof text === 'string'
      ? text
      : text === null || text === undefined
        ? ''
        : typeof text === 'object'
          ? JSON.stringify(text)
          : String(text);
  const cut = all.length > max ? `${all.slice(0, max)}…` : all;
  return cut.replace(HIDDEN, (c) => {
    const code = c.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

export function count(n: number | bigint | string): string {
  return new Intl.NumberFormat(language()).format(typeof n === 'string' ? BigInt(n) : n);
}

/** Three significant digits or so, never an exponent in the range that people meet. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) return value.toExponential(2);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 1 : size >= 1 ? 2 : 4;
  return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
}

const NANOSECONDS: Record<string, number> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 };

export function withUnit(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–';
  const ns = NANOSECONDS[unit];
  if (ns !== undefined) return duration(value * ns);
  return unit === '' || unit === '1' || unit === 'ratio' ? number(value) : `${number(value)} ${plain(unit)}`;
}

export const tenths = (value: number): string =>
  new Intl.NumberFormat(language(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);

export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  return `${new Intl.NumberFormat(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share * 100)} %`;
}

const STEPS: [number, string][] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];

const LONG: [number, string][] = [
  [86400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Two neighbouring units, the smaller one where there is any of it: "5 min", "5 min 12 s". */
function longDuration(seconds: number): string {
  const at = LONG.findIndex(([unit]) => seconds >= unit);
  const [[unit, name], [next, nextName]] = [LONG[at]!, LONG[at + 1]!];
  const rest = Math.floor((seconds % unit) / next);
  return `${Math.floor(seconds / unit)} ${name}${rest === 0 ? '' : ` ${rest} ${nextName}`}`;
}

/** A duration in nanoseconds: "650.5 ms", "2 min 5 s". */
export function duration(ns: number | bigint | string): string {
  const value = Number(ns);
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 59.5e9) return `${value < 0 ? '-' : ''}${longDuration(Math.max(60, Math.round(size / 1e9)))}`;
  const [unit, name] = STEPS.find(([step]) => size >= step) ?? [1, 'ns'];
  const shown = value / unit;
  return `${new Intl.NumberFormat(language(), { maximumFractionDigits: unit === 1 ? 0 : Math.abs(shown) >= 100 ? 1 : 2 }).format(shown)} ${name}`;
}

export function exactDuration(ns: number | bigint | string): string {
  return `${count(BigInt(typeof ns === 'number' ? Math.round(ns) : ns))} ns`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** Unix nanoseconds of an ISO 8601 text with up to nine digits of a second; null where it is none. */
export function isoToNano(text: string): bigint | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return null;
  const ms = Date.parse(match[1]! + match[3]!);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1000000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** Unix nanoseconds as UTC ISO 8601 with nine digits: the machine's form. */
export function nanoToIso(nano: bigint): string {
  const [seconds, rest] = divide(nano, 1000000000n);
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(rest).padStart(9, '0')}Z`;
}

function divide(value: bigint, by: bigint): [bigint, bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

/** A moment as people read it, in UTC or local time with its zone (the header's choice); digits of a second: 0 to 9. */
export function time(nano: bigint, digits = 3, withDate = false): string {
  const [seconds, rest] = divide(nano, 1000000000n);
  const fraction = digits > 0 ? `.${String(rest).padStart(9, '0').slice(0, digits)}` : '';
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return '–';
  if (settings.utc) {
    const iso = at.toISOString();
    return `${withDate ? `${iso.slice(0, 10)} ` : ''}${iso.slice(11, 19)}${fraction}${withDate ? ' UTC' : ''}`;
  }
  const date = withDate ? `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` : '';
  return `${date}${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${fraction}${withDate ? ` ${zone(at)}` : ''}`;
}

export function zone(at: Date): string {
  if (settings.utc) return 'UTC';
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  return `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** Unix nanoseconds that came as decimal text; null where it is none. */
export function nanoOf(text: string | undefined): bigint | null {
  return text !== undefined && /^-?\d{1,19}$/.test(text) ? BigInt(text) : null;
}

export const secondsToNano = (seconds: number): bigint => BigInt(Math.round(seconds * 1e3)) * 1000000n;
