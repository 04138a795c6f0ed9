// A log line as one line of text, and its level as sign and word.
import { nanoOf, nanoToIso, plain, time } from '../core/format';
import type { LogLine } from '../core/types';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const SIGNS: Record<LogLevel, string> = { error: '■', warn: '▲', info: '●', debug: '·' };

/** FATAL counts with errors, TRACE with debug. */
export function logLevel(text = ''): LogLevel {
  const level = text.toLowerCase();
  if (level === 'fatal') return 'error';
  return (LOG_LEVELS as readonly string[]).includes(level) ? (level as LogLevel) : 'debug';
}
export const levelText = (text = ''): string => `${SIGNS[logLevel(text)]} ${text.toUpperCase().slice(0, 5)}`;

export function fieldsText(line: LogLine, max = 400): string {
  return Object.entries(line.fields ?? {})
    .map(([key, value]) => `${plain(key, 60)}=${plain(value, max)}`)
    .join(' ');
}
/** When a line was written: to the millisecond, or exactly, as people and as machines write it. */
export function timeText(line: LogLine, exact = false): string {
  const nano = nanoOf(line.time_unix_nano);
  if (nano === null) return '–';
  return exact ? `${time(nano, 9, true)} · ${nanoToIso(nano)}` : time(nano, 3);
}
export const eventText = (line: LogLine, max = 200): string => plain(line.event ?? line.raw ?? '', max);
/** Newest first: timestamps are UTC with nine digits, so that their text sorts as they do. */
export const newestFirst = (lines: LogLine[]): LogLine[] =>
  [...lines].sort((a, b) => ((a.timestamp ?? '') < (b.timestamp ?? '') ? 1 : -1));
export function logText(line: LogLine): string {
  return `${timeText(line)} ${levelText(line.level)} ${eventText(line)} ${plain(line.message ?? '', 400)} ${fieldsText(line)}`;
}
