// The line at the foot of every view: the command that gives the same data. `c` copies it.
import { announce, h, replace } from './dom';
import { t } from './i18n';

let current = '';
let box: HTMLElement | null = null;

/** A word as a shell reads it back. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

/** honeytel with these words; options without a value are left out. */
export function command(words: string[], options: Record<string, string | true | undefined> = {}): string {
  const all = ['honeytel', ...words.map(quoted)];
  for (const [name, value] of Object.entries(options)) {
    if (value === true) all.push(`--${name}`);
    else if (value) all.push(`--${name}`, quoted(value));
  }
  return all.join(' ');
}

export function commandBar(): HTMLElement {
  box = h('footer', { class: 'command' });
  return box;
}

export function showCommand(text: string): void {
  current = text;
  if (!box) return;
  replace(
    box,
    h('span', { class: 'dim' }, t('command.same'), ' '),
    h('code', {}, text),
    ' ',
    h(
      'button',
      { type: 'button', class: 'small', title: t('keys.copy'), on: { click: () => void copyCommand() } },
      t('command.copy'),
      ' ',
      h('kbd', {}, 'c'),
    ),
    h('span', { class: 'dim keys-hint' }, h('kbd', {}, '?'), ' ', t('keys.title')),
  );
}

export async function copyCommand(): Promise<void> {
  try {
    await navigator.clipboard.writeText(current);
    announce(t('command.copied'));
    flash(t('command.copied'));
  } catch {
    // No clipboard for this page: the command is selected, so that the owner's own keys copy it.
    const code = box?.querySelector('code');
    if (code) getSelection()?.selectAllChildren(code);
  }
}

function flash(text: string): void {
  const button = box?.querySelector('button');
  if (!button) return;
  const note = h('span', { class: 'flash' }, ` ✓ ${text}`);
  button.after(note);
  setTimeout(() => note.remove(), 1500);
}
