// #/logs?level=warn&grep=…&trace=ID: alerts above, then the histogram by level (a click filters) and the lines, newest first. An interval
// chosen in the histogram stands in the address as from and to (Unix seconds).
import { get } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace } from '../core/dom';
import { count, nanoToIso, plain, secondsToNano, time } from '../core/format';
import { t } from '../core/i18n';
import { bind } from '../core/keys';
import { live } from '../core/live';
import { address, amend } from '../core/router';
import { empty, problem, tableToggle } from '../core/table';
import type { LogHistogram, LogLine, LogList } from '../core/types';
import { aborted, every, type Context } from '../core/view';
import { alertsPanel } from './alerts_panel';
import { LogBars } from './log_histogram';
import { fieldsText, levelText, logLevel, LOG_LEVELS } from './log_text';
import { VirtualList } from './virtual_list';

const LIMIT = 1000;
const COLUMNS = 120;
const REFRESH_MS = 2000;

function lineRow(line: LogLine): HTMLElement {
  return h(
    'div',
    { class: `line ${logLevel(line.level)}` },
    h('span', { class: 'at', title: line.timestamp }, time(BigInt(line.time_unix_nano), 3)),
    h('span', { class: 'level' }, levelText(line.level)),
    h('span', { class: 'service dim' }, plain(line.service, 30)),
    h('span', { class: 'event' }, plain(line.event, 120)),
    h(
      'span',
      { class: 'rest' },
      plain(line.message ?? '', 300),
      line.message ? ' ' : null,
      h('span', { class: 'dim' }, fieldsText(line)),
    ),
    line.trace_id
      ? h(
          'a',
          { class: 'mono', href: address(['traces', line.trace_id, ...(line.span_id ? [line.span_id] : [])]) },
          line.trace_id.slice(0, 8),
        )
      : h('span', {}),
  );
}

function lineDetail(line: LogLine): HTMLElement {
  const facts: [string, string][] = [
    [t('time'), `${time(BigInt(line.time_unix_nano), 9, true)} · ${nanoToIso(BigInt(line.time_unix_nano))}`],
    [t('logs.level'), levelText(line.level)],
    [t('logs.event'), plain(line.event)],
    [t('metrics.service'), `${plain(line.service)} ${plain(line.module ?? '')}`],
    [t('logs.message'), plain(line.message ?? '–')],
    ...Object.entries(line.fields ?? {}).map(([key, value]) => [plain(key), plain(value)] as [string, string]),
  ];
  return h('dl', { class: 'fields' }, ...facts.flatMap(([label, text]) => [h('dt', {}, label), h('dd', {}, text)]));
}

export async function logsView({ root, place, since, signal }: Context): Promise<void> {
  const { query } = place;
  const alerts = h('div', {});
  const level = h(
    'select',
    { 'aria-label': t('logs.level') },
    ...['', 'debug', 'info', 'warn', 'error'].map((name) =>
      h('option', { value: name }, name === '' ? t('logs.all') : `≥ ${name}`),
    ),
  );
  level.value = query.get('level') ?? '';
  const grep = h('input', {
    type: 'search',
    'data-filter': true,
    placeholder: t('logs.grep'),
    'aria-label': t('logs.grep'),
    value: query.get('grep') ?? '',
  });
  const trace = query.get('trace') ?? '';
  let [from, to] = [query.get('from') ?? '', query.get('to') ?? ''];
  const note = h('span', { class: 'dim', role: 'status' });
  const trouble = h('div', {});
  const detail = h('div', { class: 'panel', hidden: true });
  const bars = new LogBars((a, b) => within(String(a), String(b)), signal);
  const barTable = h('div', {});
  const chips = h('span', { class: 'levels' });
  const interval = h('span', {});
  const list = new VirtualList<LogLine>(
    22,
    t('logs.title'),
    lineRow,
    (line) => {
      detail.hidden = false;
      replace(
        detail,
        h(
          'div',
          { class: 'panel-head' },
          h('h3', {}, plain(line.event, 80)),
          line.trace_id
            ? h(
                'a',
                { href: address(['traces', line.trace_id, ...(line.span_id ? [line.span_id] : [])]) },
                t('logs.open_trace'),
              )
            : null,
          h('span', { class: 'grow' }),
          h(
            'button',
            {
              type: 'button',
              class: 'small',
              on: {
                click: () => {
                  detail.hidden = true;
                },
              },
            },
            t('close'),
          ),
        ),
        lineDetail(line),
      );
    },
    signal,
  );
  const submit = (event: Event): void => {
    event.preventDefault();
    amend({ level: level.value || undefined, grep: grep.value || undefined });
    void read();
  };
  root.append(
    h('h1', { class: 'unseen' }, t('tab.logs')),
    alerts,
    h(
      'section',
      { class: 'panel', 'aria-label': t('logs.title') },
      h(
        'form',
        { class: 'tools', role: 'search', on: { submit, change: submit } },
        h('h2', {}, t('logs.title')),
        level,
        grep,
        h('button', { type: 'submit' }, t('search')),
        interval,
        note,
        h('span', { class: 'grow' }),
        chips,
        tableToggle(
          barTable,
          () => ({
            caption: t('logs.title'),
            columns: [t('time'), ...LOG_LEVELS],
            rows: bars.rows
              .map(([at, all]) => [time(secondsToNano(at), 0, true), ...all.map((n) => count(n))])
              .reverse(),
          }),
          signal,
          true,
        ),
      ),
      bars.element,
      barTable,
      trouble,
      list.element,
      detail,
    ),
  );
  bind(
    {
      ...list.keys,
      Escape: () => {
        if (detail.hidden) return false;
        detail.hidden = true;
      },
    },
    signal,
  );

  function within(a: string, b: string): void {
    [from, to] = [a, b];
    amend({ from: from || undefined, to: to || undefined });
    void read();
  }
  const range = (): { since: string; until?: string } =>
    from && to ? { since: `@${from}`, until: `@${to}` } : { since };

  function showChips(): void {
    replace(
      chips,
      ...LOG_LEVELS.map((name) =>
        h(
          'button',
          {
            type: 'button',
            class: `small level-${name}`,
            'aria-pressed': String(!bars.hidden.has(name)),
            on: {
              click: () => {
                level.value = level.value === name ? '' : name;
                amend({ level: level.value || undefined });
                void read();
              },
            },
          },
          levelText(name),
          ' ',
          count(bars.total(name)),
        ),
      ),
    );
    replace(
      interval,
      from
        ? h(
            'button',
            { type: 'button', class: 'small', on: { click: () => within('', '') } },
            `${time(secondsToNano(Number(from)), 0)} – ${time(secondsToNano(Number(to)), 0)} ✕`,
          )
        : trace
          ? h('a', { class: 'button', href: address(['logs']) }, `${t('trace')} ${trace.slice(0, 8)} ✕`)
          : null,
    );
  }

  async function read(): Promise<void> {
    const span = range();
    showCommand(
      command(['logs'], {
        level: level.value || undefined,
        grep: grep.value || undefined,
        trace: trace || undefined,
        ...span,
      }),
    );
    const least = LOG_LEVELS.indexOf(level.value as (typeof LOG_LEVELS)[number]);
    bars.hidden = new Set(LOG_LEVELS.filter((_name, i) => least >= 0 && i > least));
    try {
      const [found, histogram] = await Promise.all([
        get<LogList>(
          '/api/logs',
          { level: level.value, grep: grep.value, trace, ...(trace ? { since: '397d' } : span), limit: LIMIT },
          signal,
        ),
        get<LogHistogram>('/api/logs/histogram', { ...(from ? { since } : span), columns: COLUMNS }, signal),
      ]);
      replace(trouble, found.logs.length === 0 ? empty(t('logs.none')) : null);
      const newestFirst = [...found.logs].sort((a, b) =>
        BigInt(a.time_unix_nano) < BigInt(b.time_unix_nano) ? 1 : -1,
      );
      list.set(newestFirst, (line) => `${line.time_unix_nano}${line.event}${line.span_id ?? ''}`);
      note.textContent = found.truncated
        ? t('showing', { n: count(found.logs.length), total: count(found.total) })
        : t('logs.lines', { n: count(found.logs.length) });
      bars.set(histogram);
      showChips();
    } catch (error) {
      if (!aborted(error)) replace(trouble, problem(error));
    }
  }
  await Promise.all([read(), alertsPanel(alerts, since, signal)]);
  if (query.get('show') === 'alerts') root.querySelector<HTMLElement>('#alerts')?.focus();
  every(
    REFRESH_MS,
    () => {
      if (live.state === 'live' && list.atTop && !from) void read();
    },
    signal,
  );
}
