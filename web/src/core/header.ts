// The header: the four views, Live or Paused, range, clock, language, theme, and what was lost. It is there whatever the view does.
import { announce, h, replace } from './dom';
import { count } from './format';
import { LANGUAGES, language, t, type TextKey } from './i18n';
import { live, type LiveStatus } from './live';
import { here } from './router';
import { choose, settings } from './settings';
import { nextTheme } from './theme';

export const RANGES = ['5m', '15m', '1h', '6h', '1d', '7d', '30d', '90d', '397d'];
export const TABS: { parts: string[]; label: TextKey; key: string }[] = [
  { parts: ['slis'], label: 'tab.slis', key: 'o' },
  { parts: ['traces'], label: 'tab.traces', key: 't' },
  { parts: ['logs'], label: 'tab.logs', key: 'l' },
  { parts: ['sql'], label: 'tab.sql', key: 'x' },
];
const SIGNS = { live: '●', paused: '⏸', connecting: '◌', lost: '✕' };

let status: LiveStatus | null = null;

/** The range of the view: the address's own, else the one chosen last. */
export function currentSince(): string {
  const since = here().query.get('since') ?? settings.since;
  return RANGES.includes(since) ? since : '1h';
}

function tabs(): HTMLElement {
  const place = here();
  const links = TABS.map(({ parts, label }) => {
    const current = place.parts[0] === parts[0] ? 'page' : undefined;
    return h('a', { href: `#/${parts[0]}`, 'aria-current': current }, t(label));
  });
  return h('nav', { 'aria-label': 'honeytel' }, ...links);
}

function liveButton(signal: AbortSignal): HTMLElement {
  const button = h('button', {
    type: 'button',
    class: 'live',
    title: t('keys.pause'),
    on: { click: () => live.toggle() },
  });
  const show = (): void => {
    const { state, fresh } = live;
    const dot = h('span', { class: `dot ${state}`, 'aria-hidden': 'true' }, SIGNS[state]);
    const more = fresh > 0 ? h('span', { class: 'fresh' }, ` · ${t('live.new', { n: count(fresh) })}`) : null;
    replace(button, dot, ' ', t(`live.${state}`), more);
    button.setAttribute('aria-pressed', String(live.paused));
  };
  show();
  live.onState(show, signal);
  return button;
}

/** What was lost, and who stores what is recorded. */
function books(signal: AbortSignal): HTMLElement {
  const box = h('span', { class: 'books', role: 'group' });
  const show = (): void => {
    const dropped = status?.dropped ?? 0;
    const lost = h(
      'span',
      { class: dropped > 0 ? 'lost' : 'dim' },
      dropped > 0 ? '■ ' : null,
      t('books.dropped', { n: count(dropped) }),
    );
    const mode = status ? t(engineKey(status.engine)) : '…';
    replace(box, lost, h('span', { class: 'dim' }, t('books.engine', { mode })));
  };
  show();
  live.on(
    'status',
    (event) => {
      status = event;
      show();
    },
    signal,
  );
  return box;
}

const engineKey = (mode: string): TextKey =>
  mode === 'agent' ? 'engine.agent' : mode === 'embedded' ? 'engine.embedded' : 'engine.none';

/** A select of [value, text] pairs. */
function select(
  label: string,
  options: [string, string][],
  value: string,
  chosen: (value: string) => void,
): HTMLElement {
  const element = h(
    'select',
    { 'aria-label': label },
    ...options.map(([name, text]) => h('option', { value: name }, text)),
  );
  element.value = value;
  element.addEventListener('change', () => chosen(element.value));
  return element;
}

function themeButton(): HTMLElement {
  const text = (): string => `${t('theme')}: ${t(`theme.${settings.theme}`)}`;
  const button = h('button', { type: 'button', 'aria-label': t('theme'), title: text() }, '◐');
  button.addEventListener('click', () => {
    nextTheme();
    button.title = text();
    announce(text());
  });
  return button;
}

/** `again` draws the whole page anew: after a change of language or clock. */
export function header(again: () => void, setRange: (since: string) => void, signal: AbortSignal): HTMLElement {
  const range = select(
    t('range'),
    RANGES.map((since) => [since, since]),
    currentSince(),
    setRange,
  );
  const clocks: [string, string][] = [
    ['local', t('clock.local')],
    ['utc', 'UTC'],
  ];
  const clock = select(t('clock'), clocks, settings.utc ? 'utc' : 'local', (value) => {
    choose({ utc: value === 'utc' });
    again();
  });
  const words = select(t('language'), Object.entries(LANGUAGES), language(), (value) => {
    choose({ language: value });
    again();
  });
  const brand = h('a', { class: 'brand', href: '#/slis' }, 'honeytel');
  const grow = h('span', { class: 'grow' });
  return h('header', {}, brand, tabs(), grow, liveButton(signal), range, clock, words, themeButton(), books(signal));
}
