// What an SLI says in words and small pictures: value, objective, budget, gauge of its threshold bands, sparkline.
import { h, s } from '../core/dom';
import { count, duration, isoToNano, number, percent, plain, tenths, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { LEVELS, levelOf } from '../core/levels';
import type { Sli } from '../core/types';

export const BANDS = ['yellow', 'orange', 'red'] as const;

export function worstFirst(slis: Sli[]): Sli[] {
  return [...slis].sort((a, b) => LEVELS[levelOf(b.state)].rank - LEVELS[levelOf(a.state)].rank || share(b) - share(a));
}

/** How far a value has gone to its first threshold: what tells apart two SLIs of one level. */
function share(sli: Sli): number {
  const limit = sli.yellow ?? sli.objective ?? 0;
  return sli.value === null || limit <= 0 ? 0 : sli.value / limit;
}

export function ageOf(sli: Sli): string {
  const nano = sli.newest_point ? isoToNano(sli.newest_point) : null;
  if (nano === null) return t('sli.no_point');
  const ns = BigInt(Date.now()) * 1000000n - nano;
  const whole = ns / 1000000000n;
  return t('sli.age', { age: whole <= 0n ? '0 s' : duration(whole * 1000000000n) });
}

const times = (burn: number | null): string => (burn === null ? '–' : `${tenths(burn)}×`);

/** Label and value of each line of a card, in its order. */
export function facts(sli: Sli): [string, string][] {
  return [
    [t('sli.budget'), percent(sli.budget_left)],
    [
      t('sli.burn'),
      `${times(sli.burn_1h)} / ${times(sli.burn_6h)}`,
    ],
    [
      t('sli.breaches'),
      t('sli.breaches_of', {
        n: count(Math.min(sli.consecutive, sli.consecutive_breaches_required)),
        of: sli.consecutive_breaches_required,
      }),
    ],
    [t('sli.rate'), sli.rate === null || sli.rate === undefined ? '–' : `${number(sli.rate)}/s`],
  ];
}

export const objective = (sli: Sli): string =>
  sli.objective === null ? '–' : `< ${withUnit(sli.objective, sli.unit)}`;

/** One sentence for screen readers. */
export function sentence(sli: Sli): string {
  return t('sli.sentence', {
    name: plain(sli.sli_name),
    state: t(`level.${levelOf(sli.state)}`),
    value: withUnit(sli.value, sli.unit),
    objective: objective(sli),
  });
}

/** The bands as a ruler with the objective and the value on it; the card's words say the same. */
export function gauge(sli: Sli): HTMLElement {
  const limits = BANDS.map((level) => sli[level]).filter(
    (limit): limit is number => limit !== null && limit !== undefined,
  );
  const top = Math.max(...limits, sli.objective ?? 0, 0) * 1.25 || 1;
  const at = (value: number): string => `${Math.min(100, (Math.max(0, value) / top) * 100).toFixed(2)}%`;
  const part = (name: string, left: number, right?: number): HTMLElement => {
    const element = h('i', { class: name });
    element.style.left = at(left);
    if (right !== undefined) element.style.right = `${(100 - Math.min(100, (right / top) * 100)).toFixed(2)}%`;
    return element;
  };
  const parts = [part('band ok', 0, limits[0] ?? top)];
  BANDS.forEach((level, i) => {
    const [from, to] = [
      sli[level],
      BANDS.slice(i + 1)
        .map((next) => sli[next])
        .find((next) => next !== null && next !== undefined) ?? top,
    ];
    if (from !== null && from !== undefined) parts.push(part(`band ${level}`, from, to));
  });
  if (sli.objective !== null) parts.push(part('objective', sli.objective));
  if (sli.value !== null) parts.push(part('needle', sli.value));
  return h('div', { class: 'gauge', 'aria-hidden': 'true' }, ...parts);
}

/** The last 30 minutes; gaps stay gaps. */
export function sparkline(values: (number | null)[]): SVGElement {
  const known = values.filter((value): value is number => value !== null);
  const top = Math.max(...known, 0) || 1;
  let pen = 'M';
  const path = values
    .map((value, i) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const point = `${pen}${((i / Math.max(1, values.length - 1)) * 100).toFixed(1)} ${(22 - (value / top) * 20).toFixed(1)}`;
      pen = 'L';
      return point;
    })
    .join('');
  return s(
    'svg',
    { class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('path', { d: path || 'M0 0' }),
  );
}
