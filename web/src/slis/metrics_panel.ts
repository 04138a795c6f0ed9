// Every metric of this home with its newest value, changed in place as the rings change: what a program without SLIs sees first.
import { get } from '../core/api';
import { h, replace } from '../core/dom';
import { count, isoToNano, number, plain, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { live, type LiveMetrics } from '../core/live';
import { empty, head, problem } from '../core/table';
import type { Series } from '../core/types';
import { aborted } from '../core/view';

const ROWS_MAX = 500;
type Changed = LiveMetrics['series'][number];

type Labels = string | Record<string, string> | undefined;

/** "a=1, b=2", sorted: stored series have text, live ones an object, and both mean one row. */
function labelsOf(labels: Labels): string {
  const parts =
    typeof labels === 'string'
      ? labels.split(', ')
      : Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return parts.filter(Boolean).sort().join(', ');
}
const keyOf = (series: { name: string; service: string; labels?: Labels }): string =>
  `${series.name}\n${series.service}\n${labelsOf(series.labels)}`;

interface Row {
  element: HTMLElement;
  value: HTMLElement;
  newest: HTMLElement;
  text: string;
  series: Series;
}

export async function metricsPanel(place: HTMLElement, signal: AbortSignal): Promise<void> {
  const body = h('tbody', {});
  const rows = new Map<string, Row>();
  const note = h('span', { class: 'dim' });
  const filter = h('input', {
    type: 'search',
    'data-filter': true,
    placeholder: t('metrics.filter'),
    'aria-label': t('metrics.filter'),
    on: { input: () => sift() },
  });
  const box = h(
    'div',
    { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': t('metrics.title') },
    h(
      'table',
      { class: 'data metrics' },
      head([t('metrics.name'), t('metrics.labels'), t('metrics.service'), t('sli.value'), t('sli.newest')], [3]),
      body,
    ),
  );
  replace(
    place,
    h(
      'section',
      { class: 'panel', 'aria-label': t('metrics.title') },
      h('div', { class: 'panel-head' }, h('h3', {}, t('metrics.title')), note, h('span', { class: 'grow' }), filter),
      box,
    ),
  );

  function sift(): void {
    const wanted = filter.value.toLowerCase();
    let shown = 0;
    for (const row of rows.values()) {
      const hit = row.text.includes(wanted);
      row.element.hidden = !hit;
      shown += hit ? 1 : 0;
    }
    note.textContent = t('showing', { n: count(shown), total: count(rows.size) });
  }

  function add(series: Series): void {
    if (rows.size >= ROWS_MAX) return;
    const value = h('td', { class: 'number' });
    const newest = h('td', { class: 'dim' });
    const labels = labelsOf(series.labels);
    const element = h(
      'tr',
      {},
      h('th', { scope: 'row' }, plain(series.name, 120)),
      h('td', { class: 'dim' }, plain(labels, 120)),
      h('td', {}, plain(series.service, 60)),
      value,
      newest,
    );
    const row = { element, value, newest, text: `${series.name} ${labels} ${series.service}`.toLowerCase(), series };
    rows.set(keyOf(series), row);
    body.append(element);
    show(row, isoToNano(series.newest));
  }

  function show({ value, newest, series }: Row, at: bigint | null): void {
    value.textContent =
      series.kind === 'histogram'
        ? `${series.p95 === null || series.p95 === undefined ? '–' : withUnit(series.p95, series.unit)} · ${t('metrics.count', { n: count(series.count ?? 0) })}`
        : withUnit(series.value, series.kind === 'counter' ? '' : series.unit);
    if (at !== null) newest.textContent = time(at, 0);
  }

  function change(changed: Changed, at: number): void {
    const row = rows.get(keyOf(changed));
    if (!row)
      return add({
        name: changed.name,
        kind: changed.kind,
        unit: '',
        labels: changed.labels,
        service: changed.service,
        value: changed.value,
        count: changed.count,
        newest: new Date(at).toISOString(),
      });
    row.series.value = changed.value;
    row.series.count = changed.count;
    show(row, BigInt(at) * 1000000n);
    if (row.series.kind === 'histogram') row.value.title = number(changed.value);
  }

  try {
    const said = await get<{ series: Series[] }>('/api/metrics', {}, signal);
    for (const series of said.series) add(series);
    sift();
    if (said.series.length === 0)
      body.append(h('tr', {}, h('td', { colspan: 5 }, empty(t('metrics.none'), 'honeytel record counter visits 1'))));
  } catch (error) {
    if (!aborted(error)) replace(place, problem(error));
    return;
  }
  live.on(
    'metrics',
    (event) => {
      const before = rows.size;
      for (const series of event.series) change(series, event.t);
      if (rows.size !== before) sift();
    },
    signal,
  );
}
