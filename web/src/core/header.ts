// The header: the four views, Live or Paused, range, clock, language, theme, and what was lost. It is there whatever the view does.
import { announce, h, replace } from './dom';
import { count } from './format';
import { LANGUAGES, language, t, type TextKey } from './i18n';
import { live } from './live';
import { nextTheme } from './theme';
import { choose, settings } from './settings';
import { here } from './router';
import type { LiveStatus } from './live';

export const RANGES = ['5m', '15m', '1h', '6h', '1d', '7d', '30d', '90d', '397d'];
export const TABS: { parts: string[]; label: TextKey; key: string }[] = [
  { parts: ['slis'], label: 'tab.slis', key: 'o' },
  { parts: ['traces'], label: 'tab.traces', key: 't' },
  { parts: ['logs'], label: 'tab.logs', key: 'l' },
  { parts: ['sql'], label: 'tab.sql', key: 'x' },
];

let status: LiveStatus | null = null;

/** `again` draws the whole page anew: after a change of language, clock or range. */
export function header(again: () => void, setRange: (since: string) => void, signal: AbortSignal): HTMLElement {
  const place = here();
  const nav = h(
    'nav',
    { 'aria-label': 'honeytel' },
    ...TABS.map(({ parts, label }) =>
      h('a', { href: `#/${parts[0]}`, 'aria-current': place.parts[0] === parts[0] ? 'page' : undefined }, t(label)),
    ),
  );
  const liveButton = h('button', { type: 'button', class: 'live', on: { click: () => live.toggle() } });
  const books = h('span', { class: 'books', role: 'group' });
  const showState = (): void => {
    const state = live.state;
    const sign = { live: '●', paused: '⏸', connecting: '◌', lost: '✕' }[state];
    replace(
      liveButton,
      h('span', { class: `dot ${state}`, 'aria-hidden': 'true' }, sign),
      ' ',
      t(`live.${state}`),
      live.fresh > 0 ? h('span', { class: 'fresh' }, ` · ${t('live.new', { n: count(live.fresh) })}`) : null,
    );
    liveButton.setAttribute('aria-pressed', String(live.paused));
    liveButton.title = t('keys.pause');
  };
  const showBooks = (): void => {
    const dropped = status?.dropped ?? 0;
    replace(
      books,
      h(
        'span',
        { class: dropped > 0 ? 'lost' : 'dim' },
        dropped > 0 ? '■ ' : null,
        t('books.dropped', { n: count(dropped) }),
      ),
      h('span', { class: 'dim' }, t('books.engine', { mode: status ? t(engineKey(status.engine)) : '…' })),
    );
  };
  showState();
  showBooks();
  live.onState(showState, signal);
  live.on(
    'status',
    (event) => {
      status = event;
      showBooks();
    },
    signal,
  );
  const range = h(
    'select',
    { 'aria-label': t('range'), on: { change: () => setRange(range.value) } },
    ...RANGES.map((since) => h('option', { value: since }, since)),
  );
  range.value = currentSince();
  const clock = h(
    'select',
    {
      'aria-label': t('clock'),
      on: {
        change: () => {
          choose({ utc: clock.value === 'utc' });
          again();
        },
      },
    },
    h('option', { value: 'local' }, t('clock.local')),
    h('option', { value: 'utc' }, 'UTC'),
  );
  clock.value = settings.utc ? 'utc' : 'local';
  const words = h(
    'select',
    {
      'aria-label': t('language'),
      on: {
        change: () => {
          choose({ language: words.value });
          again();
        },
      },
    },
    ...Object.entries(LANGUAGES).map(([code, name]) => h('option', { value: code, lang: code }, name)),
  );
  words.value = language();
  const theme = h(
    'button',
    { type: 'button', 'aria-label': t('theme'), title: `${t('theme')}: ${t(`theme.${settings.theme}`)}` },
    '◐',
  );
  theme.addEventListener('click', () => {
    nextTheme();
    theme.title = `${t('theme')}: ${t(`theme.${settings.theme}`)}`;
    announce(theme.title);
  });
  return h(
    'header',
    {},
    h('a', { class: 'brand', href: '#/slis' }, 'honeytel'),
    nav,
    h('span', { class: 'grow' }),
    liveButton,
    range,
    clock,
    words,
    theme,
    books,
  );
}

const engineKey = (mode: string): TextKey =>
  mode === 'agent' ? 'engine.agent' : mode === 'embedded' ? 'engine.embedded' : 'engine.none';

/** The range of the view: the address's own, else the one chosen last. */
export function currentSince(): string {
  const since = here().query.get('since') ?? settings.since;
  return RANGES.includes(since) ? since : '1h';
}
