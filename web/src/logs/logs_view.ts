// #/logs?level=warn&grep=…&trace=ID: alerts above, then the histogram by level (a click filters) and the lines, newest first. An interval
// chosen in the histogram stands in the address as from and to (Unix seconds).
import { get } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace } from '../core/dom';
import { count, secondsToNano, time } from '../core/format';
import { t } from '../core/i18n';
import { bind } from '../core/keys';
import { live } from '../core/live';
import { address, amend } from '../core/router';
import { empty, problem, tableToggle, type Rows } from '../core/table';
import type { LogHistogram, LogLine, LogList } from '../core/types';
import { aborted, every, type Context } from '../core/view';
import { alertsPanel } from './alerts_panel';
import { lineDetail, lineRow } from './log_line';
import { LogBars } from './log_histogram';
import { levelText, LOG_LEVELS, newestFirst, type LogLevel } from './log_text';
import { VirtualList } from './virtual_list';

const LIMIT = 1000;
const COLUMNS = 120;
const ROW = 22;
const REFRESH_MS = 2000;

class LogsView {
  private readonly level = h(
    'select',
    { 'aria-label': t('logs.level') },
    h('option', { value: '' }, t('logs.all')),
    ...['debug', 'info', 'warn', 'error'].map((name) => h('option', { value: name }, `≥ ${name}`)),
  );
  private readonly grep = h('input', {
    type: 'search',
    'data-filter': true,
    placeholder: t('logs.grep'),
    'aria-label': t('logs.grep'),
  });
  private readonly trace: string;
  private from: string;
  private to: string;
  private readonly note = h('span', { class: 'dim', role: 'status' });
  private readonly trouble = h('div', {});
  private readonly detail = h('div', { class: 'panel', hidden: true });
  private readonly chips = h('span', { class: 'levels' });
  private readonly narrowed = h('span', {});
  private readonly barTable = h('div', {});
  private readonly bars: LogBars;
  private readonly list: VirtualList<LogLine>;

  constructor(private readonly context: Context) {
    const { query } = context.place;
    this.level.value = query.get('level') ?? '';
    this.grep.value = query.get('grep') ?? '';
    this.trace = query.get('trace') ?? '';
    this.from = query.get('from') ?? '';
    this.to = query.get('to') ?? '';
    this.bars = new LogBars((from, to) => this.within(String(from), String(to)), context.signal);
    this.list = new VirtualList(ROW, t('logs.title'), lineRow, (line) => this.open(line), context.signal);
  }

  async show(): Promise<void> {
    const { root, place, since, signal } = this.context;
    const alerts = h('div', {});
    root.append(h('h1', { class: 'unseen' }, t('tab.logs')), alerts, this.panel());
    const escape = (): boolean | void => {
      if (this.detail.hidden) return false;
      this.detail.hidden = true;
    };
    bind({ ...this.list.keys, Escape: escape }, signal);
    await Promise.all([this.read(), alertsPanel(alerts, since, signal)]);
    if (place.query.get('show') === 'alerts') root.querySelector<HTMLElement>('#alerts')?.focus();
    // Who reads further down is not disturbed by what is new above.
    const follows = (): boolean => live.state === 'live' && this.list.atTop && !this.from;
    every(REFRESH_MS, () => void (follows() && this.read()), signal);
  }

  private panel(): HTMLElement {
    const submit = (event: Event): void => {
      event.preventDefault();
      amend({ level: this.level.value || undefined, grep: this.grep.value || undefined });
      void this.read();
    };
    const search = h('button', { type: 'submit' }, t('search'));
    const toggle = tableToggle(this.barTable, () => this.table(), this.context.signal, true);
    const form = h(
      'form',
      { class: 'tools', role: 'search', on: { submit, change: submit } },
      ...[h('h2', {}, t('logs.title')), this.level, this.grep, search, this.narrowed, this.note],
      ...[h('span', { class: 'grow' }), this.chips, toggle],
    );
    const parts = [form, this.bars.element, this.barTable, this.trouble, this.list.element, this.detail];
    return h('section', { class: 'panel', 'aria-label': t('logs.title') }, ...parts);
  }

  private open(line: LogLine): void {
    this.detail.hidden = false;
    const close = h('button', { type: 'button', class: 'small' }, t('close'));
    close.addEventListener('click', () => {
      this.detail.hidden = true;
    });
    replace(this.detail, lineDetail(line, close));
  }

  private table(): Rows {
    const rows = this.bars.rows.map(([at, all]) => [time(secondsToNano(at), 0, true), ...all.map((n) => count(n))]);
    return { caption: t('logs.title'), columns: [t('time'), ...LOG_LEVELS], rows: rows.reverse() };
  }

  private within(from: string, to: string): void {
    [this.from, this.to] = [from, to];
    amend({ from: from || undefined, to: to || undefined });
    void this.read();
  }

  private choose(level: LogLevel): void {
    this.level.value = this.level.value === level ? '' : level;
    amend({ level: this.level.value || undefined });
    void this.read();
  }

  private showChips(): void {
    const chip = (level: LogLevel): HTMLElement =>
      h(
        'button',
        {
          type: 'button',
          class: 'small',
          'aria-pressed': !this.bars.hidden.has(level),
          on: { click: () => this.choose(level) },
        },
        ...[levelText(level), ' ', count(this.bars.total(level))],
      );
    // Made anew only when a number changed: a button must not vanish under who presses it.
    const chips = LOG_LEVELS.map(chip);
    if (chips.some((one, i) => !this.chips.children[i]?.isEqualNode(one))) replace(this.chips, ...chips);
    const moment = (at: string): string => time(secondsToNano(Number(at)), 0);
    const all = h('button', { type: 'button', class: 'small', on: { click: () => this.within('', '') } });
    all.textContent = `${moment(this.from)} – ${moment(this.to)} ✕`;
    const other = h('a', { class: 'button', href: address(['logs']) }, `${t('trace')} ${this.trace.slice(0, 8)} ✕`);
    replace(this.narrowed, this.from ? all : this.trace ? other : null);
  }

  private async read(): Promise<void> {
    const { since, signal } = this.context;
    const { level, grep, trace, from, to, bars } = this;
    const span: Record<string, string> = from && to ? { since: `@${from}`, until: `@${to}` } : { since };
    const asked = { level: level.value || undefined, grep: grep.value || undefined, trace: trace || undefined };
    showCommand(command(['logs'], { ...asked, ...span }));
    const least = LOG_LEVELS.indexOf(level.value as LogLevel);
    bars.hidden = new Set(LOG_LEVELS.filter((_name, i) => least >= 0 && i > least));
    try {
      const [found, histogram] = await Promise.all([
        get<LogList>('/api/logs', { ...asked, ...(trace ? { since: '397d' } : span), limit: LIMIT }, signal),
        get<LogHistogram>('/api/logs/histogram', { ...(from ? { since } : span), columns: COLUMNS }, signal),
      ]);
      replace(this.trouble, found.logs.length === 0 ? empty(t('logs.none')) : null);
      this.list.set(newestFirst(found.logs), (line) => `${line.time_unix_nano}${line.event}${line.span_id ?? ''}`);
      const n = count(found.logs.length);
      this.note.textContent = found.truncated ? t('showing', { n, total: count(found.total) }) : t('logs.lines', { n });
      bars.set(histogram);
      this.showChips();
    } catch (error) {
      if (!aborted(error)) replace(this.trouble, problem(error));
    }
  }
}

export const logsView = (context: Context): Promise<void> => new LogsView(context).show();
