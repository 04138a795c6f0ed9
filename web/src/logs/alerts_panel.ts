// The alert timeline: what fired, since when, by how much, by which rule, which trace, whom it told and how fast, when it cleared.
import { get } from '../core/api';
import { command } from '../core/command';
import { h, replace, s, type Child } from '../core/dom';
import { count, duration, isoToNano, plain, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { chip, levelOf } from '../core/levels';
import { live } from '../core/live';
import { address } from '../core/router';
import { empty, head, problem } from '../core/table';
import type { Alert } from '../core/types';
import { aborted, seconds } from '../core/view';

const ROWS_MAX = 200;
const LANE = 14;

function told(alert: Alert): Child[] {
  const ms = (value: number | null | undefined): string | null =>
    value === null || value === undefined ? null : withUnit(value, 'ms');
  const [toast, manager] = [ms(alert.delivered?.toast_ms), ms(alert.delivered?.alertmanager_ms)];
  if (!toast && !manager) return [h('span', { class: 'dim' }, t('alert.nobody'))];
  return [
    toast ? t('alert.toast', { ms: toast }) : null,
    toast && manager ? ' · ' : null,
    manager ? t('alert.manager', { ms: manager }) : null,
  ];
}

/** "p95 of session_…"; where the SLI is no longer defined, what kind of threshold it was. */
const ruleOf = ({ rule, threshold_type: type }: Alert): string =>
  !rule ? type : type === 'burn_rate' ? t('alert.burn', { rule }) : rule;

function row(alert: Alert): HTMLElement {
  const fired = isoToNano(alert.timestamp);
  const cleared = alert.cleared_at ? isoToNano(alert.cleared_at) : null;
  return h(
    'tr',
    {},
    h('td', {}, chip(alert.severity)),
    h(
      'td',
      {},
      h('a', { href: address(['slis', alert.sli_name]), 'data-row': true }, plain(alert.sli_name, 80)),
      h('span', { class: 'dim' }, ` ${plain(alert.labels?.module ?? '', 40)}`),
    ),
    h(
      'td',
      { class: 'nowrap' },
      withUnit(alert.current_value, alert.unit),
      h('span', { class: 'dim' }, ` > ${withUnit(alert.threshold, alert.unit)}`),
      h('div', { class: 'dim small-text' }, plain(ruleOf(alert), 120)),
    ),
    h('td', { class: 'nowrap', title: alert.timestamp }, fired === null ? '–' : time(fired, 3, true)),
    h(
      'td',
      { class: 'nowrap', title: alert.cleared_at ?? '' },
      cleared === null || fired === null
        ? h('strong', {}, t('alert.firing'))
        : t('alert.cleared_after', { after: duration(cleared - fired) }),
    ),
    h('td', {}, ...told(alert)),
    h(
      'td',
      {},
      alert.trace_id
        ? h('a', { href: address(['traces', alert.trace_id]), class: 'mono' }, alert.trace_id.slice(0, 8))
        : '–',
    ),
  );
}

/** One lane per SLI; a bar from fired to cleared. The table below says the same. */
function lanes(alerts: Alert[], since: string): SVGElement {
  const names = [...new Set(alerts.map((alert) => alert.sli_name))].slice(0, 12);
  const to = Date.now();
  const from = to - seconds(since) * 1000;
  const x = (at: number): number => Math.min(1000, Math.max(0, ((at - from) / (to - from)) * 1000));
  const bars = alerts
    .filter((alert) => names.includes(alert.sli_name))
    .map((alert) => {
      const start = x(Date.parse(alert.timestamp));
      const end = alert.cleared_at ? x(Date.parse(alert.cleared_at)) : 1000;
      return s('rect', {
        class: `band ${levelOf(alert.severity)}`,
        x: start,
        y: names.indexOf(alert.sli_name) * LANE + 2,
        width: Math.max(3, end - start),
        height: LANE - 4,
      });
    });
  return s(
    'svg',
    {
      class: 'lanes',
      viewBox: `0 0 1000 ${Math.max(1, names.length) * LANE}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    ...bars,
  );
}

export async function alertsPanel(place: HTMLElement, since: string, signal: AbortSignal): Promise<void> {
  const body = h('div', {});
  const note = h('span', { class: 'dim' });
  replace(
    place,
    h(
      'section',
      { class: 'panel alerts', id: 'alerts', tabindex: -1, 'aria-label': t('alerts.title') },
      h(
        'div',
        { class: 'panel-head' },
        h('h2', {}, t('alerts.title')),
        note,
        h('span', { class: 'grow' }),
        h('code', { class: 'dim' }, command(['alerts'], { since })),
      ),
      body,
    ),
  );
  const read = async (): Promise<void> => {
    try {
      const { alerts } = await get<{ alerts: Alert[] }>('/api/alerts', { since }, signal);
      const firing = alerts.filter((alert) => !alert.cleared_at && levelOf(alert.severity) !== 'ok');
      note.textContent = t('alerts.count', { firing: count(firing.length), n: count(alerts.length) });
      if (alerts.length === 0) return replace(body, empty(t('alerts.none')));
      const sorted = [...alerts].sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1)).slice(0, ROWS_MAX);
      replace(
        body,
        lanes(alerts, since),
        h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('alerts.title') },
          h(
            'table',
            { class: 'data wide' },
            head([
              t('span.state'),
              'SLI',
              t('alert.value'),
              t('alert.since'),
              t('alert.until'),
              t('alert.told'),
              t('trace'),
            ]),
            h('tbody', {}, ...sorted.map(row)),
          ),
        ),
        alerts.length > ROWS_MAX
          ? h('p', { class: 'dim' }, t('showing', { n: ROWS_MAX, total: count(alerts.length) }))
          : null,
      );
    } catch (error) {
      if (!aborted(error)) replace(body, problem(error));
    }
  };
  live.on('alerts', () => void read(), signal);
  await read();
}
