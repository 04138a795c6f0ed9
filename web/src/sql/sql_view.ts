// #/sql?q=SELECT…: a question in SQL, read-only, and its answer as a table. The question stands in the address, so that it can be sent on.
import { Problem, post } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace, type Child } from '../core/dom';
import { count, duration, plain } from '../core/format';
import { t } from '../core/i18n';
import { amend } from '../core/router';
import { head, problem } from '../core/table';
import { aborted, type Context } from '../core/view';

interface Answer {
  columns: string[];
  rows: unknown[][];
  truncated: boolean;
  seconds: number;
}

const EXAMPLES: [string, string][] = [
  [
    'spans',
    'SELECT name, count(*) AS n, max(duration_ns) / 1e6 AS max_ms FROM spans GROUP BY name ORDER BY max_ms DESC LIMIT 20',
  ],
  ['logs', 'SELECT time, level, event, service, message FROM logs ORDER BY time_unix_nano DESC LIMIT 50'],
  [
    'points',
    'SELECT metric, service, count(*) AS points, sum(value) AS total FROM points GROUP BY metric, service ORDER BY metric LIMIT 50',
  ],
  ['alerts', 'SELECT * FROM alerts LIMIT 50'],
  ['series', 'SELECT * FROM series LIMIT 50'],
  ['ledger', 'SELECT * FROM ledger LIMIT 50'],
];
const CELL_MAX = 12000;

function cell(value: unknown): HTMLElement {
  if (value === null) return h('td', { class: 'dim' }, 'NULL');
  return h('td', { class: typeof value === 'number' ? 'number' : undefined }, plain(value, CELL_MAX));
}

function answerTable(said: Answer): Child[] {
  const n = count(said.rows.length);
  const cut = said.truncated ? ` · ${t('sql.truncated', { n })}` : null;
  const numbers = (said.rows[0] ?? []).flatMap((value, i) => (typeof value === 'number' ? [i] : []));
  const columns = said.columns.map((name) => plain(name, 100));
  const rows = said.rows.map((row) => h('tr', {}, ...row.map(cell)));
  const caption = h('caption', { class: 'unseen' }, t('sql.answer'));
  const table = h('table', { class: 'data wide' }, caption, head(columns, numbers), h('tbody', {}, ...rows));
  return [
    h('p', { class: 'dim' }, t('sql.rows', { n, time: duration(said.seconds * 1e9) }), cut),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('sql.answer') }, table),
  ];
}

class SqlView {
  private readonly box = h('textarea', {
    rows: 4,
    spellcheck: 'false',
    'data-filter': true,
    'aria-label': 'SQL',
    class: 'sql-box',
  });
  private readonly answer = h('div', { 'aria-live': 'polite' });
  private asked = new AbortController();

  constructor(private readonly context: Context) {
    context.signal.addEventListener('abort', () => this.asked.abort());
  }

  show(): void {
    const { root, place } = this.context;
    const { box } = this;
    box.value = place.query.get('q') ?? EXAMPLES[0]![1];
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.ask();
    };
    box.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
    });
    const examples = EXAMPLES.map(([name, query]) => {
      const button = h('button', { type: 'button', class: 'small' }, name);
      button.addEventListener('click', () => {
        box.value = query;
        void this.ask();
      });
      return button;
    });
    const run = h('button', { type: 'submit' }, t('sql.run'), ' ', h('kbd', {}, 'Ctrl Enter'));
    const tools = h('div', { class: 'tools' }, run, h('span', { class: 'dim' }, t('sql.tables')), ...examples);
    root.append(
      h('h1', { class: 'unseen' }, 'SQL'),
      h('form', { class: 'panel', on: { submit } }, box, tools),
      this.answer,
    );
    void this.ask();
  }

  private async ask(): Promise<void> {
    const query = this.box.value.trim();
    amend({ q: query });
    showCommand(command(['sql', query]));
    if (!query) return;
    this.asked.abort();
    this.asked = new AbortController();
    replace(this.answer, h('p', { class: 'dim' }, t('loading')));
    try {
      replace(this.answer, ...answerTable(await post<Answer>('/api/sql', { query }, this.asked.signal)));
    } catch (error) {
      if (aborted(error)) return;
      replace(this.answer, problem(error));
      if (error instanceof Problem) this.box.focus();
    }
  }
}

export const sqlView = (context: Context): void => new SqlView(context).show();
