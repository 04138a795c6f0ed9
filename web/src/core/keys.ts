// Keys: the same ones as in the terminal view. Bindings lie in a pile; the newest that knows a key and does not pass takes it. Fields keep
// theirs, and so do Space and Enter on what is pressed with them.
import { h } from './dom';
import { t, type TextKey } from './i18n';

export type Bindings = Record<string, (event: KeyboardEvent) => boolean | void>;
const pile: Bindings[] = [];

/** Until the signal aborts, these keys do these things; a binding that answers false passes the key on. */
export function bind(bindings: Bindings, signal: AbortSignal): void {
  pile.push(bindings);
  signal.addEventListener('abort', () => pile.splice(pile.indexOf(bindings), 1));
}

const writes = (element: Element | null): boolean =>
  element instanceof HTMLElement && element.matches('input:not([type=checkbox]), textarea, select');
/** What Enter or Space press by themselves: a link takes Enter only. */
const presses = (element: Element | null, key: string): boolean =>
  element instanceof HTMLElement &&
  ((key === ' ' && element.matches('button, summary, input')) ||
    (key === 'Enter' && element.matches('button, a[href], summary, input')));

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector('dialog[open]'))
    return;
  const target = document.activeElement;
  if (writes(target)) {
    if (event.key === 'Escape') (target as HTMLElement).blur();
    return;
  }
  if (presses(target, event.key)) return;
  for (const bindings of [...pile].reverse()) {
    const action = bindings[event.key];
    if (action && action(event) !== false) {
      event.preventDefault();
      return;
    }
  }
}

export function startKeys(): void {
  document.addEventListener('keydown', pressed);
}

const HELP: [string, TextKey][] = [
  ['?', 'keys.help'],
  ['/', 'keys.filter'],
  ['j k ↓ ↑', 'keys.move'],
  ['Enter', 'keys.enter'],
  ['Esc', 'keys.escape'],
  ['g G', 'keys.ends'],
  ['w a s d + −', 'keys.zoom'],
  ['← →', 'keys.fold'],
  ['1 … 5', 'keys.sli'],
  ['o t l a x', 'keys.views'],
  ['Space', 'keys.pause'],
  ['c', 'keys.copy'],
  ['u', 'keys.utc'],
  ['v', 'keys.table'],
];

/** The overlay of `?`: a modal dialog, so that the browser keeps the focus inside and gives it back. */
export function showHelp(): void {
  const rows = HELP.map(([keys, what]) =>
    h('tr', {}, h('th', { scope: 'row' }, ...keys.split(' ').map((key) => h('kbd', {}, key))), h('td', {}, t(what))),
  );
  const dialog = h(
    'dialog',
    { class: 'help', 'aria-labelledby': 'help-title' },
    h('h2', { id: 'help-title' }, t('keys.title')),
    h('table', {}, h('tbody', {}, ...rows)),
    h('button', { type: 'button', autofocus: true, on: { click: () => dialog.close() } }, t('close')),
  );
  dialog.addEventListener('keydown', (event) => {
    if (event.key === '?') dialog.close();
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** j, k, arrows, g and G over the elements that a selector finds: they move the focus itself, so that Enter and the ring are the browser's. */
export function walk(root: HTMLElement, selector: string): Bindings {
  const to = (next: (at: number, last: number) => number) => (): boolean | void => {
    const all = [...root.querySelectorAll<HTMLElement>(selector)];
    if (all.length === 0) return false;
    const at = all.indexOf(document.activeElement as HTMLElement);
    const target = all[Math.min(all.length - 1, Math.max(0, next(at, all.length - 1)))]!;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: 'nearest' });
  };
  const [down, up] = [to((at) => at + 1), to((at) => at - 1)];
  return { j: down, ArrowDown: down, k: up, ArrowUp: up, g: to(() => 0), G: to((_at, last) => last) };
}
