// The words of the page in the owner's language: chosen in the header, else the browser's, else English.
import { settings } from './settings';
import { texts, type TextKey } from './texts';

export const LANGUAGES = { en: 'English', ja: '日本語', es: 'Español', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;
const ORDER = Object.keys(LANGUAGES) as Language[];

export function language(): Language {
  const wanted = settings.language ? [settings.language] : (navigator.languages ?? [navigator.language]);
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0] as Language;
    if (ORDER.includes(base)) return base;
  }
  return 'en';
}

/** The text of a key with {name} filled in; {name|one|many} is the word for one or for another number of them. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return texts[key][ORDER.indexOf(language())]!.replace(
    /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g,
    (whole, name: string, one?: string, many?: string) => {
      if (!(name in values)) return whole;
      if (many === undefined) return String(values[name]);
      return (String(values[name]) === '1' ? one : many) ?? '';
    },
  );
}
export type { TextKey };
