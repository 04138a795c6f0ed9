// The panel of a dragged box: the slow traces in it, and the attributes that differ between inside and outside, most first.
import { get } from '../core/api';
import { h, replace, type Child } from '../core/dom';
import { count, duration, isoToNano, percent, plain, secondsToNano, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { address } from '../core/router';
import { empty, head, problem } from '../core/table';
import type { Compare, Sli } from '../core/types';
import { aborted } from '../core/view';
import type { Box } from './heatmap';

function bar(share: number, kind: string): HTMLElement {
  const fill = h('span', { class: `bar ${kind}` });
  fill.style.width = `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%`;
  return h('span', { class: 'bar-box' }, fill, h('span', { class: 'bar-text' }, percent(share, 0)));
}

function answer(said: Compare): Child[] {
  const attributes = said.attributes.map(({ key, value, inside, outside }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, plain(key, 80)),
      h('td', {}, plain(value, 120)),
      h('td', {}, bar(inside, 'inside')),
      h('td', {}, bar(outside, 'outside')),
    ),
  );
  const traces = said.traces.map(({ trace_id, duration_ns, start }) => {
    const link = h('a', { href: address(['traces', trace_id]) }, trace_id.slice(0, 8));
    return h('li', {}, link, ` ${duration(duration_ns)} `, h('span', { class: 'dim' }, time(isoToNano(start) ?? 0n)));
  });
  const columns = [t('compare.key'), t('compare.value'), t('compare.inside'), t('compare.outside')];
  const table = h('table', { class: 'data' }, head(columns), h('tbody', {}, ...attributes));
  const list = traces.length ? h('ol', {}, ...traces) : empty(t('compare.no_traces'));
  const [inside, outside] = [count(said.inside), count(said.outside)];
  return [
    h('p', {}, t('compare.counts', { span: plain(said.span_name, 80), inside, outside })),
    h(
      'div',
      { class: 'compare-parts' },
      attributes.length ? table : empty(t('compare.none')),
      h('div', {}, h('h4', {}, t('compare.traces')), list),
    ),
  ];
}

export async function comparePanel(
  place: HTMLElement,
  sli: Sli,
  box: Box,
  close: () => void,
  signal: AbortSignal,
): Promise<void> {
  const [from, to] = [time(secondsToNano(box.t0), 0), time(secondsToNano(box.t1), 0)];
  const title = t('compare.title', { from, to, low: withUnit(box.v0, sli.unit), high: withUnit(box.v1, sli.unit) });
  const body = h('div', {}, h('p', { class: 'dim' }, t('loading')));
  const closes = h('button', { type: 'button', class: 'small', on: { click: close } }, t('close'));
  const top = h('div', { class: 'panel-head' }, h('h3', {}, title), closes);
  replace(place, h('section', { class: 'panel compare', 'aria-label': title }, top, body));
  place.scrollIntoView({ block: 'nearest' });
  try {
    const path = `/api/slis/${encodeURIComponent(sli.sli_name)}/compare`;
    replace(body, ...answer(await get<Compare>(path, { ...box }, signal)));
  } catch (error) {
    if (!aborted(error)) replace(body, problem(error));
  }
}
