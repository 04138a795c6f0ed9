// #/traces/ID, #/traces/ID/SPAN_ID: minimap, waterfall, the chosen span's panel. One binary answer paints it; logs and alerts of the trace
// come after.
import { get, getBytes, Problem } from '../core/api';
import { command, showCommand } from '../core/command';
import { announce, h, replace } from '../core/dom';
import { count, duration, plain, time } from '../core/format';
import { t } from '../core/i18n';
import { bind } from '../core/keys';
import { chip } from '../core/levels';
import { address } from '../core/router';
import { tableToggle, type Rows } from '../core/table';
import type { Alert, LogList } from '../core/types';
import { aborted, type Context } from '../core/view';
import { Minimap } from './minimap';
import { spanPanel } from './span_panel';
import { SpanRows } from './span_rows';
import { FLAG, TraceData } from './trace_data';
import { Waterfall } from './waterfall';

const TABLE_ROWS = 200;

class TraceView {
  private readonly rows: SpanRows;
  private readonly wf: Waterfall;
  private readonly mini: Minimap;
  private readonly panel = h('aside', {
    class: 'span-panel',
    'aria-label': t('span.panel'),
    tabindex: -1,
    hidden: true,
  });
  private readonly related = h('span', { class: 'dim' });
  private readonly tableBox = h('div', {});
  private readonly shownNote = h('span', { class: 'dim' });
  private asked = new AbortController();

  constructor(
    private readonly context: Context,
    private readonly id: string,
    private readonly trace: TraceData,
  ) {
    const { signal } = context;
    this.rows = new SpanRows(trace);
    this.wf = new Waterfall(
      trace,
      this.rows,
      {
        seen: (from, to) => this.mini.draw(from, to),
        choose: (row, open) => this.choose(row, open),
        fold: (i) => this.fold(i),
      },
      signal,
    );
    this.mini = new Minimap(trace, (from, to) => this.wf.zoom(from, to), signal);
    signal.addEventListener('abort', () => this.asked.abort());
  }

  open(): void {
    const {
      trace,
      wf,
      context: { root, place, signal },
    } = this;
    const sentence = t('wf.sentence', {
      name: plain(trace.nameOf(0), 80),
      n: count(trace.n),
      duration: duration(trace.total),
      errors: count(trace.errors),
    });
    wf.element.setAttribute('aria-label', `${sentence} ${t('wf.keys')}`);
    const filter = h('input', {
      type: 'search',
      'data-filter': true,
      placeholder: t('wf.filter'),
      'aria-label': t('wf.filter'),
    });
    const errors = h('input', { type: 'checkbox' });
    const sift = (): void => this.filter(filter.value, errors.checked);
    filter.addEventListener('input', sift);
    errors.addEventListener('change', sift);
    root.append(
      h(
        'div',
        { class: 'detail-head' },
        h('a', { class: 'button', href: '#/traces' }, '‹ ', t('tab.traces')),
        h('h1', {}, plain(trace.nameOf(0), 80)),
        h('strong', { class: 'value' }, duration(trace.total)),
        h(
          'span',
          { class: trace.errors ? 'lost' : 'dim' },
          trace.errors ? '■ ' : null,
          t('trace.errors', { n: count(trace.errors) }),
        ),
        h('span', { class: 'dim' }, t('trace.spans', { n: count(trace.n) })),
        h('span', { class: 'dim' }, time(trace.base, 3, true)),
        h('span', { class: 'dim mono' }, this.id),
      ),
      h(
        'div',
        { class: 'tools' },
        filter,
        h('label', {}, errors, ' ', t('trace.only_errors')),
        this.shownNote,
        h('span', { class: 'grow' }),
        this.legend(),
        tableToggle(this.tableBox, () => this.table(), signal, true),
      ),
      h('div', { class: 'mini-box' }, this.mini.canvas),
      h('div', { class: 'trace-body' }, wf.element, this.panel),
      h('div', { class: 'tools' }, this.related),
      this.tableBox,
    );
    this.mini.draw(0, trace.total);
    wf.draw();
    performance.mark('trace-painted');
    const resize = new ResizeObserver(() => this.wf.zoomBy(1));
    resize.observe(this.mini.canvas.parentElement!);
    signal.addEventListener('abort', () => resize.disconnect());
    this.keys();
    const wanted = place.parts[2] ? trace.find(place.parts[2]) : -1;
    if (wanted >= 0) {
      this.rows.reveal(wanted);
      this.choose(this.rows.rowOf(wanted), true);
    }
    wf.element.focus({ preventScroll: true });
    void this.relate();
  }

  private legend(): HTMLElement {
    return h(
      'span',
      { class: 'legend' },
      ...this.wf.legend.map(([name, hue]) => h('span', {}, h('i', { class: hue }), ' ', plain(name, 40))),
      h('span', {}, h('i', { class: 'outlined' }), ' ', t('wf.critical')),
      h('span', {}, h('i', { class: 'own' }), ' ', t('span.self')),
    );
  }

  private keys(): void {
    const {
      wf,
      rows,
      context: { signal },
    } = this;
    const at = (): number => rows.rowOf(rows.chosen);
    const move = (by: number) => () => this.choose(Math.min(rows.rows.length - 1, Math.max(0, at() + by)), false);
    const sideways = (fold: boolean) => () => {
      const i = rows.chosen;
      if (i < 0) return;
      if (rows.hasChildren(i) && rows.isFolded(i) !== fold) this.fold(i);
      else if (fold && this.trace.parentOf(i) >= 0) this.choose(rows.rowOf(this.trace.parentOf(i)), false);
    };
    bind(
      {
        j: move(1),
        ArrowDown: move(1),
        k: move(-1),
        ArrowUp: move(-1),
        g: () => this.choose(0, false),
        G: () => this.choose(rows.rows.length - 1, false),
        PageDown: move(20),
        PageUp: move(-20),
        ArrowLeft: sideways(true),
        ArrowRight: sideways(false),
        Enter: () => {
          if (rows.chosen >= 0) this.choose(at(), true, true);
        },
        w: () => wf.zoomBy(0.6),
        s: () => wf.zoomBy(1 / 0.6),
        '+': () => wf.zoomBy(0.6),
        '=': () => wf.zoomBy(0.6),
        '-': () => wf.zoomBy(1 / 0.6),
        a: () => wf.pan(-0.2),
        d: () => wf.pan(0.2),
        Escape: () => (this.panel.hidden ? false : this.closePanel()),
      },
      signal,
    );
  }

  private fold(i: number): void {
    this.rows.fold(i, !this.rows.isFolded(i));
    this.wf.changed();
  }

  private filter(text: string, onlyErrors: boolean): void {
    this.rows.filter(text, onlyErrors);
    this.shownNote.textContent =
      text || onlyErrors ? t('showing', { n: count(this.rows.rows.length), total: count(this.trace.n) }) : '';
    this.wf.changed();
  }

  private choose(row: number, open: boolean, focus = false): void {
    const i = this.rows.rows[row];
    if (i === undefined) return;
    const { trace } = this;
    this.rows.chosen = i;
    this.wf.show(row);
    announce(
      `${plain(trace.nameOf(i), 80)}, ${plain(trace.serviceOf(i), 40)}, ${duration(trace.duration[i]!)}${trace.has(i, FLAG.error) ? `, ${t('span.error')}` : ''}, ${row + 1}/${this.rows.rows.length}`,
    );
    if (!open && this.panel.hidden) return;
    this.panel.hidden = false;
    this.asked.abort();
    this.asked = new AbortController();
    history.replaceState(null, '', address(['traces', this.id, trace.idOf(i)]));
    void spanPanel(this.panel, trace, this.id, i, () => this.closePanel(), this.asked.signal);
    if (focus) this.panel.focus();
  }

  private closePanel(): void {
    this.panel.hidden = true;
    history.replaceState(null, '', address(['traces', this.id]));
    this.wf.element.focus();
    this.wf.later();
  }

  private table(): Rows {
    const { trace } = this;
    const from = Math.max(0, this.rows.rowOf(this.rows.chosen));
    const rows = [...this.rows.rows.subarray(from, from + TABLE_ROWS)].map((i) => [
      `${'· '.repeat(Math.min(14, trace.depth[i]!))}${plain(trace.nameOf(i), 120)}`,
      plain(trace.serviceOf(i), 60),
      duration(trace.start[i]!),
      duration(trace.duration[i]!),
      duration(trace.self[i]!),
      [trace.has(i, FLAG.error) ? `■ ${t('span.error')}` : '', trace.has(i, FLAG.critical) ? t('wf.critical') : '']
        .filter(Boolean)
        .join(', '),
    ]);
    return {
      caption: t('wf.table'),
      columns: [
        t('span.name'),
        t('metrics.service'),
        t('span.start'),
        t('span.duration'),
        t('span.self'),
        t('span.state'),
      ],
      rows,
      note: t('wf.table_note', { n: count(rows.length), total: count(this.rows.rows.length) }),
    };
  }

  /** Links from the trace to its logs and alerts; that they are missing is no reason to say that the trace is. */
  private async relate(): Promise<void> {
    const { signal } = this.context;
    try {
      const [logs, alerts] = await Promise.all([
        get<LogList>('/api/logs', { trace: this.id, since: '397d', limit: 1 }, signal),
        get<{ alerts: Alert[] }>('/api/alerts', { since: '397d' }, signal),
      ]);
      const mine = alerts.alerts.filter((alert) => alert.trace_id === this.id);
      replace(
        this.related,
        h('a', { href: address(['logs'], { trace: this.id }) }, t('trace.n_logs', { n: count(logs.total) })),
        ' · ',
        ...(mine.length
          ? mine.map((alert) =>
              h(
                'a',
                { href: address(['slis', alert.sli_name]) },
                chip(alert.severity),
                ' ',
                plain(alert.sli_name),
                ' ',
              ),
            )
          : [t('trace.no_alerts')]),
      );
    } catch (error) {
      if (!aborted(error)) replace(this.related, error instanceof Problem ? error.what : '');
    }
  }
}

export async function traceView(context: Context): Promise<void> {
  const id = context.place.parts[1]!;
  showCommand(command(['traces', id]));
  const bytes = await getBytes(`/api/traces/${encodeURIComponent(id)}/columns`, context.signal);
  let trace: TraceData;
  try {
    trace = new TraceData(bytes);
  } catch (error) {
    throw new Problem(t('error.columns'), error instanceof Error ? error.message : '', t('error.columns_do'));
  }
  if (trace.n === 0) throw new Problem(t('trace.empty'));
  new TraceView(context, id, trace).open();
}
