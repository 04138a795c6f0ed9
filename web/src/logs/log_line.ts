// A log line as a row of the list, and opened with all that it holds.
import { h } from '../core/dom';
import { plain } from '../core/format';
import { t } from '../core/i18n';
import { address } from '../core/router';
import type { LogLine } from '../core/types';
import { eventText, fieldsText, levelText, logLevel, timeText } from './log_text';

function traceLink(line: LogLine, text: string): HTMLElement | null {
  if (!line.trace_id) return null;
  const parts = ['traces', line.trace_id, ...(line.span_id ? [line.span_id] : [])];
  return h('a', { class: 'mono', href: address(parts) }, text);
}

export function lineRow(line: LogLine): HTMLElement {
  const message = plain(line.message ?? '', 300);
  return h(
    'div',
    { class: `line ${logLevel(line.level)}` },
    h('span', { class: 'at', title: line.timestamp }, timeText(line)),
    h('span', { class: 'level' }, levelText(line.level)),
    h('span', { class: 'service dim' }, plain(line.service ?? '', 30)),
    h('span', { class: 'event' }, eventText(line, 120)),
    h('span', { class: 'rest' }, message, message ? ' ' : null, h('span', { class: 'dim' }, fieldsText(line))),
    traceLink(line, line.trace_id?.slice(0, 8) ?? ''),
  );
}

export function lineDetail(line: LogLine, close: HTMLElement): HTMLElement {
  const facts: [string, string][] = [
    [t('time'), timeText(line, true)],
    [t('logs.level'), levelText(line.level)],
    [t('logs.event'), eventText(line)],
    [t('metrics.service'), `${plain(line.service ?? '')} ${plain(line.module ?? '')}`],
    [t('logs.message'), plain(line.message ?? '–')],
    ...Object.entries(line.fields ?? {}).map(([key, value]) => [plain(key), plain(value)] as [string, string]),
  ];
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'panel-head' },
      h('h3', {}, eventText(line, 80)),
      traceLink(line, t('logs.open_trace')),
      h('span', { class: 'grow' }),
      close,
    ),
    h('dl', { class: 'fields' }, ...facts.flatMap(([label, text]) => [h('dt', {}, label), h('dd', {}, text)])),
  );
}
