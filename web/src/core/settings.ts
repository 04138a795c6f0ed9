// What the owner chose for this browser: language, clock, theme, range. Kept in localStorage where it is allowed, for this visit where not.

export interface Settings {
  language: string;
  utc: boolean;
  theme: 'auto' | 'dark' | 'light';
  since: string;
}
const KEY = 'honeytel';
const defaults: Settings = { language: '', utc: false, theme: 'auto', since: '1h' };

function stored(): Partial<Settings> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof found === 'object' && found !== null ? (found as Partial<Settings>) : {};
  } catch {
    return {};
  }
}

export const settings: Settings = { ...defaults, ...stored() };

export function choose(change: Partial<Settings>): void {
  Object.assign(settings, change);
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // A browser that keeps nothing: the choice holds until the page is closed.
  }
}
