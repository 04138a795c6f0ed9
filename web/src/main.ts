// Starts the page: session, shell, router. The shell (skip link, header, main, foot, two live regions) is drawn once per language and
// clock; the view in it is opened anew whenever the address changes.
import { openSession } from './core/api';
import { commandBar, copyCommand } from './core/command';
import { h, announce } from './core/dom';
import { currentSince, header, TABS } from './core/header';
import { language, t } from './core/i18n';
import { bind, showHelp, startKeys } from './core/keys';
import { live } from './core/live';
import { amend, go, here } from './core/router';
import { choose, settings } from './core/settings';
import { problem } from './core/table';
import { startTheme } from './core/theme';
import { aborted, type View } from './core/view';
import { chip } from './core/levels';
import { logsView } from './logs/logs_view';
import { slisView } from './slis/slis_view';
import { sqlView } from './sql/sql_view';
import { traceView } from './traces/trace_view';
import { tracesView } from './traces/traces_view';

const HOME = ['slis'];
let shell = new AbortController();
let opened = new AbortController();
let main: HTMLElement;

function viewOf(parts: string[]): View | null {
  switch (parts[0]) {
    case 'slis':
      return slisView;
    case 'traces':
      return parts.length > 1 ? traceView : tracesView;
    case 'logs':
      return logsView;
    case 'sql':
      return sqlView;
    default:
      return null;
  }
}

async function openView(): Promise<void> {
  opened.abort();
  opened = new AbortController();
  const place = here();
  const view = viewOf(place.parts);
  if (!view) return go(HOME);
  const { signal } = opened;
  for (const link of document.querySelectorAll('header nav a')) {
    if (link.getAttribute('href') === `#/${place.parts[0]}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const root = h('div', { class: `view ${place.parts[0]}` });
  main.replaceChildren(root);
  document.title = `honeytel · ${TABS.filter(({ parts }) => parts[0] === place.parts[0])
    .map(({ label }) => t(label))
    .join('')}`;
  try {
    await view({ root, place, since: currentSince(), signal });
  } catch (error) {
    if (!aborted(error) && !signal.aborted) root.replaceChildren(problem(error));
  }
}

function setRange(since: string): void {
  choose({ since });
  amend({ since, until: undefined });
  void openView();
}

function drawShell(): void {
  shell.abort();
  shell = new AbortController();
  document.documentElement.lang = language();
  main = h('main', { id: 'main', tabindex: -1 });
  document.body.replaceChildren(
    h(
      'a',
      {
        class: 'skip',
        href: '#main',
        on: {
          click: (event) => {
            event.preventDefault();
            main.focus();
          },
        },
      },
      t('skip'),
    ),
    header(redraw, setRange, shell.signal),
    main,
    commandBar(),
    h('div', { id: 'polite', class: 'unseen', 'aria-live': 'polite', role: 'status' }),
    h('div', { id: 'urgent', class: 'unseen', 'aria-live': 'assertive', role: 'alert' }),
  );
  const escape = (): boolean | void => {
    const { parts } = here();
    if (parts.length < 2) return false;
    history.length > 1 ? history.back() : go(parts.slice(0, 1));
  };
  bind(
    {
      '?': showHelp,
      ' ': () => live.toggle(),
      c: () => void copyCommand(),
      Escape: escape,
      a: () => go(['logs'], { show: 'alerts' }),
      '/': () => {
        main.querySelector<HTMLElement>('[data-filter]')?.focus();
      },
      u: () => {
        choose({ utc: !settings.utc });
        redraw();
      },
      ...Object.fromEntries(TABS.map(({ parts, key }) => [key, () => go(parts)])),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [String(n), () => go(['slis'], { n: String(n) })])),
    },
    shell.signal,
  );
  live.on(
    'alerts',
    ({ alerts }) => {
      for (const alert of alerts) tell(alert.sli_name, alert.severity, !alert.cleared_at);
    },
    shell.signal,
  );
}

/** A new alert is said aloud and stands at the corner until it is seen or six more came. */
function tell(sli: string, severity: string, fired: boolean): void {
  const text = `${t(fired ? 'alert.fired' : 'alert.cleared')}: ${sli}`;
  announce(text, fired);
  const corner = document.getElementById('notes') ?? document.body.appendChild(h('div', { id: 'notes' }));
  const note = h(
    'div',
    { class: 'note' },
    fired ? chip(severity) : chip('ok'),
    ' ',
    h('a', { href: `#/slis/${encodeURIComponent(sli)}` }, text),
    ' ',
    h('button', { type: 'button', class: 'small', 'aria-label': t('close'), on: { click: () => note.remove() } }, '✕'),
  );
  corner.append(note);
  while (corner.childElementCount > 6) corner.firstElementChild?.remove();
}

function redraw(): void {
  drawShell();
  void openView();
}

/** Opens the address's session where it brings a token, then its view. False: there is no session to be had. */
async function enter(): Promise<boolean> {
  try {
    await openSession();
  } catch (error) {
    main.replaceChildren(problem(error));
    return false;
  }
  await openView();
  return true;
}

async function start(): Promise<void> {
  startTheme();
  startKeys();
  drawShell();
  if (!(await enter())) return;
  window.addEventListener('hashchange', () => void enter());
  live.start();
}
void start();
