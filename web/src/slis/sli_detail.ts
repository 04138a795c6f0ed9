// One SLI enlarged: what the card says, its lines over the threshold bands, its heatmap with exemplars, and the panel of a dragged box.
import { get } from '../core/api';
import { command } from '../core/command';
import { h, replace } from '../core/dom';
import { count, plain, secondsToNano, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { chip, levelOf } from '../core/levels';
import { address } from '../core/router';
import { problem, tableToggle, type Rows } from '../core/table';
import type { Heatmap, History, Sli } from '../core/types';
import { aborted, seconds } from '../core/view';
import { sliChart } from './chart';
import { comparePanel } from './compare';
import { HeatmapView, type Box } from './heatmap';
import { ageOf, facts, gauge, objective, sentence } from './sli_text';

const POINTS = 600;
const COLUMNS = 240;
const ROWS_MAX = 200;

export interface Detail {
  name: string;
  update(sli: Sli): void;
  refresh(): Promise<void>;
  live(at: number, value: number | null): void;
  tick(): void;
  close(): void;
}

export function sliDetail(place: HTMLElement, first: Sli, since: string, outer: AbortSignal): Detail {
  const own = new AbortController();
  outer.addEventListener('abort', () => own.abort());
  const { signal } = own;
  let sli = first;
  let history: History | null = null;
  let heat: Heatmap | null = null;
  const path = `/api/slis/${encodeURIComponent(sli.sli_name)}`;
  const head = h('div', { class: 'detail-head' });
  const rule = h('div', {});
  const list = h('dl', { class: 'facts' });
  const lines = h('div', { class: 'lines' });
  const lineTable = h('div', {});
  const heatTable = h('div', {});
  const compare = h('div', {});
  const trouble = h('div', {});
  const tier = h('span', { class: 'dim' });
  const heatView = sli.kind === 'quantile' ? new HeatmapView(sli.unit, (box) => void openCompare(box), signal) : null;
  const slowest = h(
    'button',
    { type: 'button', class: 'small', on: { click: () => void openCompare(slowBox()) } },
    t('heat.slowest'),
  );
  replace(
    place,
    h(
      'section',
      { class: 'panel detail', 'aria-label': sentence(sli) },
      head,
      rule,
      list,
      trouble,
      lines,
      h(
        'div',
        { class: 'tools' },
        tier,
        h('span', { class: 'grow' }),
        heatView ? null : tableToggle(lineTable, lineRows, signal, true),
      ),
      heatView
        ? h(
            'div',
            {},
            heatView.element,
            h(
              'div',
              { class: 'tools' },
              h('span', { class: 'dim' }, t('heat.hint')),
              h('span', { class: 'grow' }),
              slowest,
              tableToggle(lineTable, lineRows, signal, true),
              tableToggle(heatTable, heatRows, signal, false, t('heat.list')),
            ),
          )
        : null,
      lineTable,
      heatTable,
      compare,
      h('p', { class: 'dim same' }, t('command.same'), ' ', h('code', {}, command(['sli', sli.sli_name]))),
    ),
  );
  const chart = sliChart(lines, sli, signal);

  function lineRows(): Rows {
    const from = Math.max(0, (history?.t.length ?? 0) - ROWS_MAX);
    const names = sli.kind === 'ratio' ? (['value', 'count'] as const) : (['p50', 'p95', 'p99', 'count'] as const);
    const rows = (history?.t ?? []).slice(from).map((at, i) => [
      time(secondsToNano(at), 0, true),
      ...names.map((name) => {
        const value = history?.[name]?.[from + i];
        return name === 'count'
          ? value === null || value === undefined
            ? '–'
            : count(value)
          : withUnit(value, sli.unit);
      }),
    ]);
    return {
      caption: plain(sli.sli_name),
      columns: [t('time'), ...names],
      rows: rows.reverse(),
      note: from > 0 ? t('showing', { n: count(ROWS_MAX), total: count(history!.t.length) }) : undefined,
    };
  }

  function heatRows(): Rows {
    return {
      caption: t('heat.exemplars'),
      columns: [t('time'), t('sli.value'), t('trace')],
      rows: [...(heat?.exemplars ?? [])]
        .sort((a, b) => b.value - a.value)
        .slice(0, ROWS_MAX)
        .map((e) => [
          time(secondsToNano(e.t), 3, true),
          withUnit(e.value, sli.unit),
          h('a', { href: address(['traces', e.trace_id, e.span_id]) }, e.trace_id.slice(0, 16)),
        ]),
    };
  }

  /** What the keyboard has for the box: everything above the first threshold, else the upper half of the buckets. */
  function slowBox(): Box {
    const now = Date.now() / 1000;
    const bounds = heat?.bounds ?? [];
    const limit = sli.orange ?? sli.objective ?? bounds[bounds.length >> 1] ?? 0;
    const top = bounds[bounds.length - 1] ?? limit;
    return { t0: now - seconds(since), t1: now, v0: limit < top ? limit : (bounds[bounds.length >> 1] ?? 0), v1: top };
  }

  function openCompare(box: Box): Promise<void> {
    return comparePanel(compare, sli, box, () => replace(compare), signal);
  }

  async function refresh(): Promise<void> {
    const to = Date.now() / 1000;
    const from = to - seconds(since);
    try {
      const [lineData, heatData] = await Promise.all([
        get<History>(`${path}/history`, { since, points: POINTS }, signal),
        heatView ? get<Heatmap>(`${path}/heatmap`, { since, columns: COLUMNS }, signal) : null,
      ]);
      history = lineData;
      chart.setHistory(lineData, from, to);
      tier.textContent = t('sli.tier', { step: `${lineData.step_s} s`, tier: lineData.tier });
      if (heatData && heatView) {
        heat = heatData;
        heatView.set(heatData, from, to);
      }
      replace(trouble);
    } catch (error) {
      if (!aborted(error)) replace(trouble, problem(error));
    }
  }

  const detail: Detail = {
    name: sli.sli_name,
    refresh,
    update(next) {
      sli = next;
      chart.setSli(sli);
      replace(
        head,
        chip(sli.state),
        h('h2', {}, plain(sli.sli_name)),
        h(
          'span',
          { class: 'value', 'data-sli': sli.sli_name },
          h('strong', {}, withUnit(sli.value, sli.unit)),
          h('span', { class: 'dim' }, ` ${objective(sli)}`),
        ),
        h('span', { class: 'grow' }),
        sli.trace_id
          ? h('a', { class: 'button', href: address(['traces', sli.trace_id]), 'data-row': true }, t('sli.worst_trace'))
          : null,
      );
      replace(rule, gauge(sli));
      replace(
        list,
        ...[
          ...facts(sli),
          [t('sli.objective'), objective(sli)] as [string, string],
          [t('sli.module'), plain(sli.module)] as [string, string],
        ].map(([label, text]) => h('div', {}, h('dt', {}, label), h('dd', {}, text))),
        h('div', {}, h('dt', {}, t('sli.newest')), h('dd', { class: 'age' }, ageOf(sli))),
      );
      place.firstElementChild?.setAttribute('data-state', levelOf(sli.state));
    },
    live: (at, value) => chart.live(at, value),
    tick() {
      const age = list.querySelector('.age');
      if (age) age.textContent = ageOf(sli);
    },
    close: () => own.abort(),
  };
  void refresh();
  return detail;
}
