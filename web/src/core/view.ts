// What a view is given by the shell when its address is opened, and the words that every view needs.
import type { Place } from './router';

export interface Context {
  root: HTMLElement;
  place: Place;
  since: string;
  /** Aborts when another view is opened: requests, listeners and timers end with it. */
  signal: AbortSignal;
}
export type View = (context: Context) => Promise<void> | void;

/** Calls every `ms` while the view is open and the page is seen. */
export function every(ms: number, action: () => void, signal: AbortSignal): void {
  const timer = setInterval(() => {
    if (!document.hidden) action();
  }, ms);
  signal.addEventListener('abort', () => clearInterval(timer));
}

export const aborted = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** A range in seconds: "15m" is 900. */
export function seconds(since: string): number {
  const match = /^(\d+)([smhd])$/.exec(since);
  return match ? Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86400 }[match[2] as 's' | 'm' | 'h' | 'd'] : 3600;
}
