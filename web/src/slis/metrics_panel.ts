// Every metric of this home with its newest value, changed in place as the rings change: what a program without SLIs sees first.
import { get } from '../core/api';
import { h, replace } from '../core/dom';
import { count, isoToNano, plain, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { live, type LiveMetrics } from '../core/live';
import { empty, head, problem } from '../core/table';
import type { Series } from '../core/types';
import { aborted } from '../core/view';

const ROWS_MAX = 500;
type Changed = LiveMetrics['series'][number];
type Labels = string | Record<string, string> | undefined;
interface Row {
  element: HTMLElement;
  value: HTMLElement;
  newest: HTMLElement;
  text: string;
  series: Series;
}

/** "a=1, b=2", sorted: stored series have text, live ones an object, and both mean one row. */
function labelsOf(labels: Labels): string {
  const pairs = (): string[] => Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return (typeof labels === 'string' ? labels.split(', ') : pairs()).filter(Boolean).sort().join(', ');
}
const keyOf = (series: { name: string; service: string; labels?: Labels }): string =>
  `${series.name}\n${series.service}\n${labelsOf(series.labels)}`;

/** A live series that is not stored yet, as a stored one. */
function made({ name, kind, unit, labels, service, value, count: n }: Changed, at: number): Series {
  return { name, kind, unit: unit ?? '', labels, service, value, count: n, newest: new Date(at).toISOString() };
}

class MetricsPanel {
  private readonly rows = new Map<string, Row>();
  private readonly body = h('tbody', {});
  private readonly note = h('span', { class: 'dim' });
  private readonly filter = h('input', { type: 'search', 'data-filter': true });

  constructor(private readonly place: HTMLElement) {
    this.filter.placeholder = t('metrics.filter');
    this.filter.setAttribute('aria-label', t('metrics.filter'));
    this.filter.addEventListener('input', () => this.sift());
    const columns = [t('metrics.name'), t('metrics.labels'), t('metrics.service'), t('sli.value'), t('sli.newest')];
    const table = h('table', { class: 'data metrics' }, head(columns, [3]), this.body);
    const title = t('metrics.title');
    const box = h('div', { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': title }, table);
    const top = h(
      'div',
      { class: 'panel-head' },
      h('h3', {}, title),
      this.note,
      h('span', { class: 'grow' }),
      this.filter,
    );
    replace(place, h('section', { class: 'panel', 'aria-label': title }, top, box));
  }

  async open(signal: AbortSignal): Promise<void> {
    try {
      const { series } = await get<{ series: Series[] }>('/api/metrics', {}, signal);
      for (const one of series) this.add(one);
      this.sift();
      const none = h('td', { colspan: 5 }, empty(t('metrics.none'), 'honeytel record counter visits 1'));
      if (series.length === 0) this.body.append(h('tr', {}, none));
    } catch (error) {
      if (!aborted(error)) replace(this.place, problem(error));
      return;
    }
    live.on(
      'metrics',
      ({ series, t: at }) => {
        const before = this.rows.size;
        for (const one of series) this.change(one, at);
        if (this.rows.size !== before) this.sift();
      },
      signal,
    );
  }

  private sift(): void {
    const wanted = this.filter.value.toLowerCase();
    let shown = 0;
    for (const row of this.rows.values()) {
      row.element.hidden = !row.text.includes(wanted);
      if (!row.element.hidden) shown++;
    }
    this.note.textContent = t('showing', { n: count(shown), total: count(this.rows.size) });
  }

  private add(series: Series): void {
    if (this.rows.size >= ROWS_MAX) return;
    if (this.rows.size === 0) replace(this.body);
    const [value, newest] = [h('td', { class: 'number' }), h('td', { class: 'dim' })];
    const labels = labelsOf(series.labels);
    const cells = [
      h('td', { class: 'dim' }, plain(labels, 120)),
      h('td', {}, plain(series.service, 60)),
      value,
      newest,
    ];
    const element = h('tr', {}, h('th', { scope: 'row' }, plain(series.name, 120)), ...cells);
    const row = { element, value, newest, text: `${series.name} ${labels} ${series.service}`.toLowerCase(), series };
    this.rows.set(keyOf(series), row);
    this.body.append(element);
    this.show(row, isoToNano(series.newest));
  }

  private change(changed: Changed, at: number): void {
    const row = this.rows.get(keyOf(changed));
    if (!row) return this.add(made(changed, at));
    row.series.value = changed.value;
    row.series.count = changed.count;
    this.show(row, BigInt(at) * 1000000n);
  }

  private show({ value, newest, series }: Row, at: bigint | null): void {
    const { kind, unit, p95, count: n } = series;
    if (kind === 'histogram')
      value.textContent = `${p95 === undefined ? '' : `p95 ${withUnit(p95, unit)} · `}${t('metrics.count', { n: count(n ?? 0) })}`;
    else value.textContent = withUnit(series.value, kind.startsWith('counter') ? '' : unit);
    if (at !== null) newest.textContent = time(at, 0);
  }
}

export const metricsPanel = (place: HTMLElement, signal: AbortSignal): Promise<void> =>
  new MetricsPanel(place).open(signal);
