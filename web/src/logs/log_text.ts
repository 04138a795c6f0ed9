// A log line as one line of text, and its level as sign and word.
import { plain, time } from '../core/format';
import type { LogLine } from '../core/types';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const SIGNS: Record<LogLevel, string> = { error: '■', warn: '▲', info: '●', debug: '·' };

/** FATAL counts with errors, TRACE with debug. */
export function logLevel(text: string): LogLevel {
  const level = text.toLowerCase();
  if (level === 'fatal') return 'error';
  return (LOG_LEVELS as readonly string[]).includes(level) ? (level as LogLevel) : 'debug';
}
export const levelText = (text: string): string => `${SIGNS[logLevel(text)]} ${text.toUpperCase().slice(0, 5)}`;

export function fieldsText(line: LogLine, max = 400): string {
  return Object.entries(line.fields ?? {})
    .map(([key, value]) => `${plain(key, 60)}=${plain(value, max)}`)
    .join(' ');
}
export function logText(line: LogLine): string {
  return `${time(BigInt(line.time_unix_nano), 3)} ${levelText(line.level)} ${plain(line.event, 200)} ${plain(line.message ?? '', 400)} ${fieldsText(line)}`;
}
