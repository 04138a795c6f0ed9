// One SLI enlarged: what the card says, its lines over the threshold bands, its heatmap with exemplars, and the panel of a dragged box. Parts that
// can have the focus are made once and changed in place: live values come four times a second.
import { get } from '../core/api';
import { command } from '../core/command';
import { h, replace } from '../core/dom';
import { count, duration, plain, secondsToNano, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { chip, levelOf } from '../core/levels';
import { address } from '../core/router';
import { problem, tableToggle, type Rows } from '../core/table';
import type { Heatmap, History, Sli } from '../core/types';
import { aborted, seconds } from '../core/view';
import { SliChart } from './chart';
import { comparePanel } from './compare';
import { HeatmapView, type Box } from './heatmap';
import { ageOf, facts, gauge, objective, sentence } from './sli_text';

const POINTS = 600;
const COLUMNS = 240;
const ROWS_MAX = 200;
const KEPT: Record<string, string> = { '10s': '10 s', '1m': '1 min', '1h': '1 h' };

export class SliDetail {
  readonly name: string;
  private readonly own = new AbortController();
  private readonly path: string;
  private readonly chart: SliChart;
  private readonly heatView: HeatmapView | null;
  private history: History | null = null;
  private heat: Heatmap | null = null;
  private readonly state = h('span', {});
  private readonly value = h('span', { class: 'value' });
  private readonly worst = h('a', { class: 'button', 'data-row': true }, t('sli.worst_trace'));
  private readonly rule = h('div', {});
  private readonly list = h('dl', { class: 'facts' });
  private readonly age = h('dd', {});
  private readonly lines = h('div', { class: 'lines' });
  private readonly tier = h('span', { class: 'dim' });
  private readonly trouble = h('div', {});
  private readonly lineTable = h('div', {});
  private readonly heatTable = h('div', {});
  private readonly compare = h('div', {});
  private readonly element: HTMLElement;

  constructor(
    place: HTMLElement,
    private sli: Sli,
    private readonly since: string,
    outer: AbortSignal,
  ) {
    outer.addEventListener('abort', () => this.own.abort());
    const { signal } = this.own;
    this.name = sli.sli_name;
    this.path = `/api/slis/${encodeURIComponent(sli.sli_name)}`;
    this.value.dataset.sli = sli.sli_name;
    this.heatView =
      sli.kind === 'quantile' ? new HeatmapView(sli.unit, (box) => void this.openCompare(box), signal) : null;
    this.element = h('section', { class: 'panel detail' }, this.head(), this.rule, this.list, this.trouble, this.lines);
    this.element.append(this.tools(), this.lineTable, this.heatTable, this.compare, this.foot());
    replace(place, this.element);
    this.chart = new SliChart(this.lines, sli, signal);
    this.update(sli);
    void this.refresh();
  }

  private head(): HTMLElement {
    const alerts = h('a', { class: 'button', href: address(['logs'], { show: 'alerts' }) }, t('alerts.title'), ' ›');
    const name = h('h2', {}, plain(this.sli.sli_name));
    return h(
      'div',
      { class: 'detail-head' },
      this.state,
      name,
      this.value,
      h('span', { class: 'grow' }),
      alerts,
      this.worst,
    );
  }

  private tools(): HTMLElement {
    const { signal } = this.own;
    const lineToggle = tableToggle(this.lineTable, () => this.lineRows(), signal, true);
    const grow = h('span', { class: 'grow' });
    if (!this.heatView) return h('div', { class: 'tools' }, this.tier, grow, lineToggle);
    const slowest = h('button', { type: 'button', class: 'small' }, t('heat.slowest'));
    slowest.addEventListener('click', () => void this.openCompare(this.slowBox()));
    const heatToggle = tableToggle(this.heatTable, () => this.heatRows(), signal, false, t('heat.list'));
    const hint = h('span', { class: 'dim' }, t('heat.hint'));
    return h(
      'div',
      {},
      this.heatView.element,
      h('div', { class: 'tools' }, hint, ' ', this.tier, grow, slowest, lineToggle, heatToggle),
    );
  }

  private foot(): HTMLElement {
    return h('p', { class: 'dim same' }, t('command.same'), ' ', h('code', {}, command(['sli', this.sli.sli_name])));
  }

  update(next: Sli): void {
    const sli = (this.sli = next);
    this.chart.setSli(sli);
    this.element.dataset.state = levelOf(sli.state);
    this.element.setAttribute('aria-label', sentence(sli));
    replace(this.state, chip(sli.state));
    const value = h('strong', {}, withUnit(sli.value, sli.unit));
    replace(this.value, value, h('span', { class: 'dim' }, ` ${objective(sli)}`));
    this.worst.hidden = !sli.trace_id;
    if (sli.trace_id) this.worst.href = address(['traces', sli.trace_id]);
    replace(this.rule, gauge(sli));
    const all: [string, string][] = [
      ...facts(sli),
      [t('sli.objective'), objective(sli)],
      [t('sli.module'), plain(sli.module)],
    ];
    const age = h('div', {}, h('dt', {}, t('sli.newest')), this.age);
    replace(this.list, ...all.map(([label, text]) => h('div', {}, h('dt', {}, label), h('dd', {}, text))), age);
    this.tick();
  }

  live(at: number, value: number | null): void {
    this.chart.live(at, value);
  }

  tick(): void {
    this.age.textContent = ageOf(this.sli);
  }

  close(): void {
    this.own.abort();
  }

  /** What is stored, read again. */
  async refresh(): Promise<void> {
    const { signal } = this.own;
    const { since } = this;
    const to = Date.now() / 1000;
    const from = to - seconds(since);
    try {
      const [history, heat] = await Promise.all([
        get<History>(`${this.path}/history`, { since, points: POINTS }, signal),
        this.heatView ? get<Heatmap>(`${this.path}/heatmap`, { since, columns: COLUMNS }, signal) : null,
      ]);
      this.history = history;
      this.chart.setHistory(history, from, to);
      this.tier.textContent = t('sli.tier', {
        step: duration(history.step_s * 1e9),
        tier: KEPT[history.tier] ?? history.tier,
      });
      if (heat) {
        this.heat = heat;
        this.heatView?.set(heat, from, to);
      }
      replace(this.trouble);
    } catch (error) {
      if (!aborted(error)) replace(this.trouble, problem(error));
    }
  }

  private lineRows(): Rows {
    const { sli, history } = this;
    const all = history?.t.length ?? 0;
    const from = Math.max(0, all - ROWS_MAX);
    const names = sli.kind === 'ratio' ? (['value'] as const) : (['p50', 'p95', 'p99'] as const);
    const rows = (history?.t ?? []).slice(from).map((at, i) => {
      const counted = history!.count[from + i];
      const values = names.map((name) => withUnit(history![name]?.[from + i], sli.unit));
      return [
        time(secondsToNano(at), 0, true),
        ...values,
        counted === null || counted === undefined ? '–' : count(counted),
      ];
    });
    const note = from > 0 ? t('showing', { n: count(ROWS_MAX), total: count(all) }) : undefined;
    return { caption: plain(sli.sli_name), columns: [t('time'), ...names, 'count'], rows: rows.reverse(), note };
  }

  private heatRows(): Rows {
    const slowest = [...(this.heat?.exemplars ?? [])].sort((a, b) => b.value - a.value).slice(0, ROWS_MAX);
    const rows = slowest.map((one) => [
      time(secondsToNano(one.t), 3, true),
      withUnit(one.value, this.sli.unit),
      h('a', { href: address(['traces', one.trace_id, one.span_id]) }, one.trace_id.slice(0, 16)),
    ]);
    return { caption: t('heat.exemplars'), columns: [t('time'), t('sli.value'), t('trace')], rows };
  }

  /** What the keyboard has for the box: everything above the orange threshold, else the upper half of the buckets. */
  private slowBox(): Box {
    const now = Date.now() / 1000;
    const bounds = this.heat?.bounds ?? [];
    const middle = bounds[bounds.length >> 1] ?? 0;
    const limit = this.sli.orange ?? this.sli.objective ?? middle;
    const top = bounds[bounds.length - 1] ?? limit;
    return { t0: now - seconds(this.since), t1: now, v0: limit < top ? limit : middle, v1: top };
  }

  private openCompare(box: Box): Promise<void> {
    this.heatView?.pick(box);
    const close = (): void => {
      replace(this.compare);
      this.heatView?.pick(null);
    };
    return comparePanel(this.compare, this.sli, box, close, this.own.signal);
  }
}
