// #/sql?q=SELECT…: a question in SQL, read-only, and its answer as a table. The question stands in the address, so that it can be sent on.
import { Problem, post } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace } from '../core/dom';
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

function cell(value: unknown): HTMLElement {
  if (value === null) return h('td', { class: 'dim' }, 'NULL');
  return h('td', { class: typeof value === 'number' ? 'number' : undefined }, plain(value, 2000));
}

export function sqlView({ root, place, signal }: Context): void {
  const box = h('textarea', {
    rows: 4,
    spellcheck: 'false',
    'data-filter': true,
    'aria-label': 'SQL',
    class: 'sql-box',
  });
  const answer = h('div', { 'aria-live': 'polite' });
  const run = h('button', { type: 'submit' }, t('sql.run'), ' ', h('kbd', {}, 'Ctrl Enter'));
  box.value = place.query.get('q') ?? EXAMPLES[0]![1];
  let asked = new AbortController();
  signal.addEventListener('abort', () => asked.abort());

  async function ask(): Promise<void> {
    const query = box.value.trim();
    amend({ q: query });
    showCommand(command(['sql', query]));
    if (!query) return;
    asked.abort();
    asked = new AbortController();
    replace(answer, h('p', { class: 'dim' }, t('loading')));
    try {
      const said = await post<Answer>('/api/sql', { query }, asked.signal);
      replace(
        answer,
        h(
          'p',
          { class: 'dim' },
          t('sql.rows', { n: count(said.rows.length), time: duration(said.seconds * 1e9) }),
          said.truncated ? ` · ${t('sql.truncated', { n: count(said.rows.length) })}` : null,
        ),
        h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('sql.answer') },
          h(
            'table',
            { class: 'data wide' },
            h('caption', { class: 'unseen' }, t('sql.answer')),
            head(
              said.columns.map((name) => plain(name, 100)),
              (said.rows[0] ?? []).flatMap((value, i) => (typeof value === 'number' ? [i] : [])),
            ),
            h('tbody', {}, ...said.rows.map((row) => h('tr', {}, ...row.map(cell)))),
          ),
        ),
      );
    } catch (error) {
      if (aborted(error)) return;
      replace(answer, problem(error));
      if (error instanceof Problem) box.focus();
    }
  }
  const submit = (event: Event): void => {
    event.preventDefault();
    void ask();
  };
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
  });
  const examples = EXAMPLES.map(([name, query]) =>
    h(
      'button',
      {
        type: 'button',
        class: 'small',
        on: {
          click: () => {
            box.value = query;
            void ask();
          },
        },
      },
      name,
    ),
  );
  root.append(
    h('h1', { class: 'unseen' }, 'SQL'),
    h(
      'form',
      { class: 'panel', on: { submit } },
      box,
      h('div', { class: 'tools' }, run, h('span', { class: 'dim' }, t('sql.tables')), ...examples),
    ),
    answer,
  );
  void ask();
}
