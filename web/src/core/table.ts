// Tables, and the button that shows a picture as one: what a canvas shows must be there for those who cannot see it. Also the three lines of an error.
import { Problem } from './api';
import { h, replace, type Child } from './dom';
import { t } from './i18n';
import { bind } from './keys';

export interface Rows {
  caption: string;
  columns: string[];
  rows: Child[][];
  note?: string;
}

/** The head of a table; `numbers`: which columns stand at the right. */
export function head(texts: string[], numbers: number[] = []): HTMLElement {
  const cells = texts.map((text, i) =>
    h('th', { scope: 'col', class: numbers.includes(i) ? 'number' : undefined }, text),
  );
  return h('thead', {}, h('tr', {}, ...cells));
}

export function table({ caption, columns, rows, note }: Rows): HTMLElement {
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      { class: 'data' },
      h('caption', {}, caption),
      head(columns),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell) => h('td', {}, cell))))),
    ),
    note ? h('p', { class: 'dim' }, note) : null,
  );
}

/** A button "Table" for a picture; `v` presses the first one of the view. */
export function tableToggle(
  place: HTMLElement,
  rows: () => Rows,
  signal: AbortSignal,
  key = false,
  label = t('table.show'),
): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'small', 'aria-expanded': 'false' }, label);
  const press = (): void => {
    const open = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(open));
    button.textContent = open ? t('table.hide') : label;
    replace(place, open ? table(rows()) : null);
  };
  button.addEventListener('click', press);
  if (key) bind({ v: press }, signal);
  return button;
}

/** What, why, what to do. */
export function problem(error: unknown): HTMLElement {
  const said =
    error instanceof Problem
      ? error
      : new Problem(t('error.page'), error instanceof Error ? error.message : String(error));
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('strong', {}, said.what),
    said.why ? h('p', {}, said.why) : null,
    said.toDo ? h('p', {}, said.toDo) : null,
  );
}

/** A sentence where data would stand, with what to do next. */
export function empty(text: string, commandText?: string): HTMLElement {
  return h('p', { class: 'empty' }, text, commandText ? ' ' : null, commandText ? h('code', {}, commandText) : null);
}
