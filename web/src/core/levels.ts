// The five states of an SLI and how each is shown: never by colour alone, always shape, word and colour together.
import { h } from './dom';
import { t } from './i18n';
import type { Level } from './types';

export const LEVELS: Record<Level, { sign: string; rank: number }> = {
  red: { sign: '■', rank: 4 },
  orange: { sign: '◆', rank: 3 },
  yellow: { sign: '▲', rank: 2 },
  ok: { sign: '●', rank: 1 },
  no_data: { sign: '○', rank: 0 },
};

export function levelOf(text: string): Level {
  const level = text.toLowerCase();
  return level in LEVELS ? (level as Level) : 'no_data';
}

export function chip(text: string): HTMLElement {
  const level = levelOf(text);
  return h('span', { class: `chip ${level}` }, LEVELS[level].sign, ' ', t(`level.${level}`));
}
