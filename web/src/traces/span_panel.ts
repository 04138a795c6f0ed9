// The panel beside the waterfall: one span with exact times, its fields, events, links and logs. What the columns hold is there at once;
// the rest is asked for.
import { get } from '../core/api';
import { h, replace, type Child } from '../core/dom';
import { duration, exactDuration, nanoOf, nanoToIso, plain, time } from '../core/format';
import { t } from '../core/i18n';
import { address } from '../core/router';
import { problem } from '../core/table';
import type { SpanDetail } from '../core/types';
import { aborted } from '../core/view';
import { logText } from '../logs/log_text';
import { FLAG, type TraceData } from './trace_data';

const EVENTS_MAX = 100;

function pairs(values: Record<string, unknown> | undefined): HTMLElement | null {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return null;
  return h(
    'dl',
    { class: 'fields' },
    ...entries.flatMap(([key, value]) => [h('dt', {}, plain(key)), h('dd', {}, plain(value))]),
  );
}

function part(title: string, ...children: Child[]): HTMLElement | null {
  return children.some((child) => child !== null) ? h('section', {}, h('h4', {}, title), ...children) : null;
}

function more(detail: SpanDetail, traceId: string, start: bigint): Child[] {
  const events = detail.events.slice(0, EVENTS_MAX).map((event) => {
    const at = nanoOf(event.time_unix_nano);
    return h(
      'li',
      {},
      h('strong', {}, plain(event.name)),
      at === null ? null : h('span', { class: 'dim', title: nanoToIso(at) }, ` +${duration(at - start)}`),
      pairs(event.attributes),
    );
  });
  return [
    detail.status_message ? h('p', { class: 'problem' }, plain(detail.status_message)) : null,
    part(t('span.fields'), pairs(detail.attributes)),
    part(
      t('span.events'),
      events.length ? h('ul', {}, ...events) : null,
      detail.events.length > EVENTS_MAX
        ? h('p', { class: 'dim' }, t('showing', { n: EVENTS_MAX, total: detail.events.length }))
        : null,
    ),
    part(
      t('span.links'),
      ...detail.links.map((link) =>
        h(
          'p',
          {},
          h('a', { href: address(['traces', link.trace_id, link.span_id]) }, link.trace_id.slice(0, 16)),
          pairs(link.attributes),
        ),
      ),
    ),
    part(
      t('span.logs'),
      ...(detail.logs ?? []).slice(0, EVENTS_MAX).map((line) => h('p', { class: 'log-line' }, logText(line))),
    ),
    h('p', {}, h('a', { href: address(['logs'], { trace: traceId }) }, t('trace.logs'))),
  ];
}

export async function spanPanel(
  place: HTMLElement,
  trace: TraceData,
  traceId: string,
  i: number,
  close: () => void,
  signal: AbortSignal,
): Promise<void> {
  const rest = h('div', {}, h('p', { class: 'dim' }, t('loading')));
  const start = trace.startOf(i);
  const id = trace.idOf(i);
  const parent = trace.parentOf(i);
  const fact = (label: string, ...value: Child[]): Child[] => [h('dt', {}, label), h('dd', {}, ...value)];
  const state = trace.has(i, FLAG.unfinished)
    ? `… ${t('span.unfinished')}`
    : trace.has(i, FLAG.error)
      ? `■ ${t('span.error')}`
      : `● ${t('level.ok')}`;
  replace(
    place,
    h(
      'div',
      { class: 'panel-head' },
      h('h3', {}, plain(trace.nameOf(i))),
      h('button', { type: 'button', class: 'small', 'aria-label': t('close'), on: { click: close } }, '✕'),
    ),
    h(
      'dl',
      { class: 'fields' },
      ...fact(t('span.state'), state, trace.has(i, FLAG.critical) ? ` · ${t('wf.critical')}` : null),
      ...fact(t('metrics.service'), plain(trace.serviceOf(i))),
      ...fact(t('span.start'), time(start, 9, true), h('br'), h('span', { class: 'dim mono' }, nanoToIso(start))),
      ...fact(
        t('span.duration'),
        duration(trace.duration[i]!),
        ' ',
        h('span', { class: 'dim mono' }, exactDuration(trace.duration[i]!)),
      ),
      ...fact(
        t('span.self'),
        duration(trace.self[i]!),
        ' ',
        h('span', { class: 'dim mono' }, exactDuration(trace.self[i]!)),
      ),
      ...fact(t('span.id'), h('span', { class: 'mono' }, id)),
      ...(parent >= 0
        ? fact(t('span.parent'), plain(trace.nameOf(parent)))
        : trace.has(i, FLAG.orphan)
          ? fact(t('span.parent'), t('span.orphan'))
          : []),
    ),
    rest,
  );
  try {
    const detail = await get<SpanDetail>(`/api/traces/${encodeURIComponent(traceId)}/spans/${id}`, {}, signal);
    replace(rest, ...more(detail, traceId, start));
  } catch (error) {
    if (!aborted(error)) replace(rest, problem(error));
  }
}
