// The panel of a dragged box: the slow traces in it, and the attributes that differ between inside and outside, most first.
import { get } from '../core/api';
import { h, replace } from '../core/dom';
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

export async function comparePanel(
  place: HTMLElement,
  sli: Sli,
  box: Box,
  close: () => void,
  signal: AbortSignal,
): Promise<void> {
  const title = t('compare.title', {
    from: time(secondsToNano(box.t0), 0),
    to: time(secondsToNano(box.t1), 0),
    low: withUnit(box.v0, sli.unit),
    high: withUnit(box.v1, sli.unit),
  });
  const body = h('div', {}, h('p', { class: 'dim' }, t('loading')));
  replace(
    place,
    h(
      'section',
      { class: 'panel compare', 'aria-label': title },
      h(
        'div',
        { class: 'panel-head' },
        h('h3', {}, title),
        h('button', { type: 'button', class: 'small', on: { click: close } }, t('close')),
      ),
      body,
    ),
  );
  place.scrollIntoView({ block: 'nearest' });
  try {
    const said = await get<Compare>(
      `/api/slis/${encodeURIComponent(sli.sli_name)}/compare`,
      { t0: box.t0, t1: box.t1, v0: box.v0, v1: box.v1 },
      signal,
    );
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
    const traces = said.traces.map(({ trace_id, duration_ns, start }) =>
      h(
        'li',
        {},
        h('a', { href: address(['traces', trace_id]) }, trace_id.slice(0, 8)),
        ` ${duration(duration_ns)} `,
        h('span', { class: 'dim' }, time(isoToNano(start) ?? 0n)),
      ),
    );
    replace(
      body,
      h(
        'p',
        {},
        t('compare.counts', {
          span: plain(said.span_name, 80),
          inside: count(said.inside),
          outside: count(said.outside),
        }),
      ),
      h(
        'div',
        { class: 'compare-parts' },
        attributes.length
          ? h(
              'table',
              { class: 'data' },
              head([t('compare.key'), t('compare.value'), t('compare.inside'), t('compare.outside')]),
              h('tbody', {}, ...attributes),
            )
          : empty(t('compare.none')),
        h(
          'div',
          {},
          h('h4', {}, t('compare.traces')),
          traces.length ? h('ol', {}, ...traces) : empty(t('compare.no_traces')),
        ),
      ),
    );
  } catch (error) {
    if (!aborted(error)) replace(body, problem(error));
  }
}
