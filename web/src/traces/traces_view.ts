// #/traces?name=…&min_duration=…: the search form and the traces that it finds, newest first; live, the list is asked for again every 2 s.
import { get } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace } from '../core/dom';
import { count, duration, exactDuration, isoToNano, plain, time } from '../core/format';
import { t } from '../core/i18n';
import { bind, walk } from '../core/keys';
import { live } from '../core/live';
import { address, amend, go } from '../core/router';
import { empty, head, problem } from '../core/table';
import type { TraceList, TraceRow } from '../core/types';
import { aborted, every, type Context } from '../core/view';

const LIMIT = 50;
const LIMIT_MAX = 1000;
const LIVE_LIMIT = 200;
const REFRESH_MS = 2000;
const TRACE_ID = /^[0-9a-f]{8,32}$/i;
const DURATION = '\\d+(\\.\\d+)?(ns|us|µs|ms|s|m|h)';

function row(trace: TraceRow, longest: number): HTMLElement {
  const nano = isoToNano(trace.start);
  const bar = h('span', { class: trace.errors > 0 ? 'bar error' : 'bar' });
  bar.style.width = `${Math.max(1, (Number(trace.duration_ns) / longest) * 100).toFixed(1)}%`;
  const open = { href: address(['traces', trace.trace_id]), 'data-row': trace.trace_id };
  const errors = trace.errors > 0 ? h('span', { class: 'lost' }, `■ ${count(trace.errors)}`) : '0';
  return h(
    'tr',
    {},
    h('td', {}, h('a', open, plain(trace.root, 120) || '–')),
    h('td', {}, plain(trace.service, 60)),
    h('td', { class: 'number', title: exactDuration(trace.duration_ns) }, duration(trace.duration_ns)),
    h('td', { class: 'bar-cell', 'aria-hidden': 'true' }, bar),
    h('td', { class: 'number' }, count(trace.spans)),
    h('td', {}, errors, trace.slow ? h('span', { class: 'tag' }, t('trace.slow')) : null),
    h('td', {}, plain(trace.kept, 30)),
    h('td', { class: 'dim nowrap', title: trace.start }, nano === null ? '–' : time(nano, 3, true)),
    h('td', { class: 'mono dim' }, trace.trace_id.slice(0, 8)),
  );
}

class TracesView {
  private readonly name = h('input', {
    type: 'search',
    'data-filter': true,
    placeholder: t('traces.name'),
    'aria-label': t('traces.name'),
  });
  private readonly least = h('input', {
    size: 17,
    placeholder: t('traces.min'),
    'aria-label': t('traces.min'),
    pattern: DURATION,
  });
  private readonly errors = h('input', { type: 'checkbox' });
  private readonly slow = h('input', { type: 'checkbox' });
  private readonly note = h('p', { class: 'dim', role: 'status' });
  private readonly more = h('button', { type: 'button', hidden: true }, t('more'));
  private readonly body = h('tbody', {});
  private readonly trouble = h('div', {});
  private readonly list: HTMLTableElement;
  private limit: number;
  private shown = '';

  constructor(private readonly context: Context) {
    const { query } = context.place;
    this.name.value = query.get('name') ?? '';
    this.least.value = query.get('min_duration') ?? '';
    this.errors.checked = query.get('errors') === '1';
    this.slow.checked = query.get('slow') === '1';
    this.limit = Math.min(LIMIT_MAX, Number(query.get('limit')) || LIMIT);
    const columns = [
      ...[t('traces.root'), t('metrics.service'), t('span.duration'), '', t('traces.spans'), t('traces.errors')],
      ...[t('traces.kept'), t('span.start'), t('traces.id')],
    ];
    this.list = h(
      'table',
      { class: 'data wide' },
      h('caption', { class: 'unseen' }, t('tab.traces')),
      head(columns, [2, 4]),
      this.body,
    );
    this.more.addEventListener('click', () => {
      this.limit = Math.min(LIMIT_MAX, this.limit * 4);
      void this.read();
    });
  }

  async show(): Promise<void> {
    const { root, signal } = this.context;
    const search = (event: Event): void => this.search(event);
    const form = h(
      'form',
      { class: 'tools', role: 'search', on: { submit: search, change: search } },
      ...[
        this.name,
        this.least,
        h('label', {}, this.errors, ' ', t('trace.only_errors')),
        h('label', {}, this.slow, ' ', t('traces.slow')),
      ],
      h('button', { type: 'submit' }, t('search')),
    );
    root.append(h('h1', { class: 'unseen' }, t('tab.traces')), form, this.trouble, this.note);
    root.append(h('div', { class: 'wide-box' }, this.list), this.more);
    bind(walk(root, '[data-row]'), signal);
    await this.read();
    every(REFRESH_MS, () => void (live.state === 'live' && this.limit <= LIVE_LIMIT && this.read()), signal);
  }

  private asked(): Record<string, string | undefined> {
    return {
      name: this.name.value.trim() || undefined,
      min_duration: this.least.value.trim() || undefined,
      errors: this.errors.checked ? '1' : undefined,
      slow: this.slow.checked ? '1' : undefined,
    };
  }

  private search(event: Event): void {
    event.preventDefault();
    const name = this.name.value.trim();
    // An id in the search box is one: it is opened.
    if (TRACE_ID.test(name)) return go(['traces', name.toLowerCase()]);
    if (!this.least.reportValidity()) return;
    amend(this.asked());
    void this.read();
  }

  private async read(): Promise<void> {
    const { since, signal } = this.context;
    const { name, min_duration, errors, slow } = this.asked();
    const limit = this.limit === LIMIT ? undefined : String(this.limit);
    const flags = { errors: errors ? (true as const) : undefined, slow: slow ? (true as const) : undefined };
    showCommand(command(['traces'], { name, 'min-duration': min_duration, ...flags, since, limit }));
    try {
      const said = await get<TraceList>('/api/traces', { ...this.asked(), since, limit: this.limit }, signal);
      replace(this.trouble);
      this.more.hidden = !said.truncated || this.limit >= LIMIT_MAX;
      const n = count(said.traces.length);
      this.note.textContent = said.truncated ? t('showing', { n, total: count(said.total) }) : t('traces.found', { n });
      this.draw(said.traces);
    } catch (error) {
      if (!aborted(error)) replace(this.trouble, problem(error));
    }
  }

  private draw(traces: TraceRow[]): void {
    this.list.hidden = traces.length === 0;
    if (traces.length === 0) {
      const narrowed = Object.values(this.asked()).some(Boolean);
      replace(this.trouble, empty(t('traces.none'), narrowed ? undefined : 'honeytel demo'));
    }
    const key = traces.map((trace) => `${trace.trace_id}${trace.spans}`).join();
    if (key === this.shown) return;
    this.shown = key;
    const focused = document.activeElement?.getAttribute('data-row');
    const longest = Math.max(1, ...traces.map((trace) => Number(trace.duration_ns)));
    replace(this.body, ...traces.map((trace) => row(trace, longest)));
    if (focused)
      this.body.querySelector<HTMLElement>(`[data-row="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

export const tracesView = (context: Context): Promise<void> => new TracesView(context).show();
