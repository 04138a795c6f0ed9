// The answers of the server as far as the page reads them (docs/formats/view_api.md, docs/cli.md). 64-bit integers are strings.

export type Level = 'ok' | 'yellow' | 'orange' | 'red' | 'no_data';

export interface Sli {
  sli_name: string;
  module: string;
  value: number | null;
  unit: string;
  state: Level;
  consecutive: number;
  consecutive_breaches_required: number;
  objective: number | null;
  budget_left: number | null;
  burn_1h: number | null;
  burn_6h: number | null;
  newest_point: string | null;
  kind: 'quantile' | 'ratio';
  quantile?: number;
  of?: string;
  ratio?: [string, string];
  yellow: number | null;
  orange: number | null;
  red: number | null;
  spark?: (number | null)[];
  rate?: number | null;
  trace_id?: string | null;
}

type Column = (number | null)[];
export interface History {
  sli_name: string;
  unit: string;
  step_s: number;
  tier: string;
  t: number[];
  value: Column;
  p50?: Column;
  p95?: Column;
  p99?: Column;
  count: Column;
}
export interface Exemplar {
  t: number;
  value: number;
  trace_id: string;
  span_id: string;
}
export interface Heatmap {
  unit: string;
  t: number[];
  bounds: number[];
  cells: [number, number, number][];
  exemplars: Exemplar[];
}
export interface Compare {
  span_name: string;
  inside: number;
  outside: number;
  attributes: { key: string; value: string; inside: number; outside: number }[];
  traces: { trace_id: string; duration_ns: number | string; start: string }[];
}

export interface TraceRow {
  trace_id: string;
  root: string;
  service: string;
  start: string;
  start_unix_nano?: string;
  duration_ns: number | string;
  spans: number;
  errors: number;
  kept: string;
  slow?: boolean;
}
export interface TraceList {
  traces: TraceRow[];
  truncated: boolean;
  total: number;
}

export interface SpanDetail {
  span_id: string;
  parent_span_id?: string;
  name: string;
  service: string;
  module?: string;
  kind?: string;
  start: string;
  start_unix_nano: string;
  duration_ns: number | string;
  status: string;
  status_message?: string;
  kept?: string;
  unfinished?: boolean;
  self_ns?: number | string;
  attributes: Record<string, unknown>;
  events: { name: string; time?: string; time_unix_nano?: string; attributes?: Record<string, unknown> }[];
  links: { trace_id: string; span_id: string; attributes?: Record<string, unknown> }[];
  logs?: LogLine[];
}

/** A line that was damaged has `raw` only. */
export interface LogLine {
  raw?: string;
  timestamp?: string;
  time_unix_nano?: string;
  level?: string;
  event?: string;
  service?: string;
  module?: string;
  message?: string;
  trace_id?: string;
  span_id?: string;
  fields?: Record<string, unknown>;
}
export interface LogList {
  logs: LogLine[];
  truncated: boolean;
  total: number;
}
export interface LogHistogram {
  t: number[];
  step_s: number;
  levels: Record<string, number[]>;
}

export interface Alert {
  alert_id: string;
  severity: string;
  sli_name: string;
  current_value: number;
  threshold: number;
  threshold_type: string;
  unit: string;
  rule: string | null;
  timestamp: string;
  trace_id: string | null;
  labels: Record<string, string>;
  cleared_at?: string | null;
  delivered?: { toast_ms?: number | null; alertmanager_ms?: number | null };
}

export interface Series {
  name: string;
  kind: string;
  unit: string;
  labels: string | Record<string, string>;
  module?: string;
  service: string;
  value: number | null;
  count?: number | string | null;
  p95?: number | null;
  newest: string;
}
