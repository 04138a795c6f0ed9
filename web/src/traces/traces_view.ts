// #/traces?name=…&min_duration=…: the search form and the traces that it finds, newest first; live, the list is asked for again every 2 s.
import { get } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace } from '../core/dom';
import { count, duration, exactDuration, isoToNano, plain, time } from '../core/format';
import { t } from '../core/i18n';
import { bind, walk } from '../core/keys';
import { live } from '../core/live';
import { address, amend, go } from '../core/router';
import { empty, problem } from '../core/table';
import type { TraceList, TraceRow } from '../core/types';
import { aborted, every, type Context } from '../core/view';

const LIMIT = 50;
const LIMIT_MAX = 1000;
const REFRESH_MS = 2000;

function row(trace: TraceRow, longest: number): HTMLElement {
  const nano = isoToNano(trace.start);
  const bar = h('span', { class: trace.errors > 0 ? 'bar error' : 'bar' });
  bar.style.width = `${Math.max(1, (Number(trace.duration_ns) / longest) * 100).toFixed(1)}%`;
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h('a', { href: address(['traces', trace.trace_id]), 'data-row': trace.trace_id }, plain(trace.root, 120) || '–'),
    ),
    h('td', {}, plain(trace.service, 60)),
    h('td', { class: 'number', title: exactDuration(trace.duration_ns) }, duration(trace.duration_ns)),
    h('td', { class: 'bar-cell', 'aria-hidden': 'true' }, bar),
    h('td', { class: 'number' }, count(trace.spans)),
    h(
      'td',
      {},
      trace.errors > 0 ? h('span', { class: 'lost' }, `■ ${count(trace.errors)}`) : '0',
      trace.slow ? h('span', { class: 'tag' }, t('trace.slow')) : null,
    ),
    h('td', {}, trace.kept),
    h('td', { class: 'dim nowrap', title: trace.start }, nano === null ? '–' : time(nano, 3, true)),
    h('td', { class: 'mono dim' }, trace.trace_id.slice(0, 8)),
  );
}

export async function tracesView({ root, place, since, signal }: Context): Promise<void> {
  const { query } = place;
  const name = h('input', {
    type: 'search',
    name: 'name',
    'data-filter': true,
    placeholder: t('traces.name'),
    'aria-label': t('traces.name'),
    value: query.get('name') ?? '',
  });
  const least = h('input', {
    name: 'min_duration',
    size: 17,
    placeholder: t('traces.min'),
    'aria-label': t('traces.min'),
    value: query.get('min_duration') ?? '',
    pattern: '\\d+(\\.\\d+)?(ns|us|µs|ms|s|m|h)',
  });
  const errors = h('input', { type: 'checkbox', name: 'errors' });
  const slow = h('input', { type: 'checkbox', name: 'slow' });
  errors.checked = query.get('errors') === '1';
  slow.checked = query.get('slow') === '1';
  let limit = Math.min(LIMIT_MAX, Number(query.get('limit')) || LIMIT);
  const note = h('p', { class: 'dim', role: 'status' });
  const more = h(
    'button',
    {
      type: 'button',
      on: {
        click: () => {
          limit = Math.min(LIMIT_MAX, limit * 4);
          void read();
        },
      },
    },
    t('more'),
  );
  const body = h('tbody', {});
  const trouble = h('div', {});
  const list = h(
    'table',
    { class: 'data wide' },
    h('caption', { class: 'unseen' }, t('tab.traces')),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...[
          t('traces.root'),
          t('metrics.service'),
          t('span.duration'),
          '',
          t('traces.spans'),
          t('traces.errors'),
          t('traces.kept'),
          t('span.start'),
          t('traces.id'),
        ].map((text) => h('th', { scope: 'col' }, text)),
      ),
    ),
    body,
  );
  const asked = (): Record<string, string | undefined> => ({
    name: name.value.trim() || undefined,
    min_duration: least.value.trim() || undefined,
    errors: errors.checked ? '1' : undefined,
    slow: slow.checked ? '1' : undefined,
  });
  const search = (event: Event): void => {
    event.preventDefault();
    // An id in the search box is one: it is opened.
    if (/^[0-9a-f]{8,32}$/i.test(name.value.trim())) return go(['traces', name.value.trim().toLowerCase()]);
    if (!least.reportValidity()) return;
    amend(asked());
    void read();
  };
  const form = h(
    'form',
    { class: 'tools', role: 'search', on: { submit: search, change: search } },
    name,
    least,
    h('label', {}, errors, ' ', t('trace.only_errors')),
    h('label', {}, slow, ' ', t('traces.slow')),
    h('button', { type: 'submit' }, t('search')),
  );
  root.append(h('h1', { class: 'unseen' }, t('tab.traces')), form, trouble, note, list, more);
  bind(walk(root, '[data-row]'), signal);

  let shown = '';
  async function read(): Promise<void> {
    const options = asked();
    showCommand(
      command(['traces'], {
        name: options.name,
        'min-duration': options.min_duration,
        errors: options.errors ? true : undefined,
        slow: options.slow ? true : undefined,
        since,
        limit: limit === LIMIT ? undefined : String(limit),
      }),
    );
    try {
      const said = await get<TraceList>('/api/traces', { ...options, since, limit }, signal);
      replace(trouble);
      more.hidden = !said.truncated || limit >= LIMIT_MAX;
      note.textContent = said.truncated
        ? t('showing', { n: count(said.traces.length), total: count(said.total) })
        : t('traces.found', { n: count(said.traces.length) });
      const key = said.traces.map((trace) => `${trace.trace_id}${trace.spans}`).join();
      if (key === shown && shown) return;
      shown = key;
      show(said.traces);
    } catch (error) {
      if (!aborted(error)) replace(trouble, problem(error));
    }
  }
  function show(traces: TraceRow[]): void {
    const focused = document.activeElement?.getAttribute('data-row');
    const longest = Math.max(1, ...traces.map((trace) => Number(trace.duration_ns)));
    replace(body, ...traces.map((trace) => row(trace, longest)));
    list.hidden = traces.length === 0;
    if (traces.length === 0)
      replace(trouble, empty(t('traces.none'), Object.values(asked()).some(Boolean) ? undefined : 'honeytel demo'));
    if (focused) body.querySelector<HTMLElement>(`[data-row="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  await read();
  every(
    REFRESH_MS,
    () => {
      if (live.state === 'live' && limit <= 200) void read();
    },
    signal,
  );
}
