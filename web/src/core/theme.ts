// Colours for canvases: the custom properties of app.css, resolved for the theme in force. Read once per theme, not per frame.
import { choose, settings } from './settings';

let resolved: Record<string, string> = {};
const listeners = new Set<() => void>();

function changed(): void {
  resolved = {};
  for (const listener of [...listeners]) listener();
}

export function startTheme(): void {
  document.documentElement.dataset.theme = settings.theme;
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

export function nextTheme(): void {
  const order = ['auto', 'dark', 'light'] as const;
  choose({ theme: order[(order.indexOf(settings.theme) + 1) % order.length]! });
  document.documentElement.dataset.theme = settings.theme;
  changed();
}

/** Calls back whenever colours changed, until the signal aborts. */
export function onTheme(listener: () => void, signal: AbortSignal): void {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
}

/** The colour of a custom property such as 'ink', as rgb(). */
export function colour(name: string): string {
  const known = resolved[name];
  if (known) return known;
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return (resolved[name] = value);
}

export const FONT = '12px system-ui, sans-serif';
export const MONO = '12px ui-monospace, "DejaVu Sans Mono", monospace';
export const calm = (): boolean => window.matchMedia('(prefers-reduced-motion: reduce)').matches;
