// The live stream: one EventSource for the whole page, closed while the page is hidden (eight viewers fit on a server). Paused, events are
// counted instead of shown; the newest of each kind is handed out when the owner goes on.

export interface LiveSlis {
  t: number;
  slis: { sli_name: string; value: number | null; state: string; consecutive: number; count: number }[];
}
export interface LiveMetrics {
  t: number;
  series: {
    name: string;
    labels: Record<string, string>;
    service: string;
    kind: string;
    unit?: string;
    value: number;
    count: number;
  }[];
}
export interface LiveStatus {
  t: number;
  engine: string;
  recorders: number;
  dropped: number;
  in_ring: number;
  newest_point: number;
}
export interface LiveAlerts {
  t: number;
  alerts: import('./types').Alert[];
}
export interface LiveEvents {
  slis: LiveSlis;
  metrics: LiveMetrics;
  status: LiveStatus;
  alerts: LiveAlerts;
}
type Kind = keyof LiveEvents;
const KINDS: Kind[] = ['slis', 'metrics', 'status', 'alerts'];

export type Stream = 'connecting' | 'live' | 'paused' | 'lost';

class Live {
  private source: EventSource | null = null;
  private readonly listeners = new Map<Kind | 'state', Set<(event: never) => void>>();
  private readonly held = new Map<Kind, unknown[]>();
  private open = false;
  paused = false;
  fresh = 0;

  start(): void {
    document.addEventListener('visibilitychange', () => (document.hidden ? this.close() : this.connect()));
    this.connect();
  }

  get state(): Stream {
    return this.paused ? 'paused' : this.open ? 'live' : this.source ? 'connecting' : 'lost';
  }

  on<K extends Kind>(kind: K, listener: (event: LiveEvents[K]) => void, signal: AbortSignal): void {
    this.add(kind, listener as (event: never) => void, signal);
  }

  onState(listener: () => void, signal: AbortSignal): void {
    this.add('state', listener, signal);
  }

  toggle(): void {
    this.paused = !this.paused;
    if (!this.paused) {
      this.fresh = 0;
      for (const [kind, events] of this.held) for (const event of events) this.hand(kind, event);
      this.held.clear();
    }
    this.changed();
  }

  private add(kind: Kind | 'state', listener: (event: never) => void, signal: AbortSignal): void {
    const all = this.listeners.get(kind) ?? new Set();
    this.listeners.set(kind, all.add(listener));
    signal.addEventListener('abort', () => all.delete(listener));
  }

  private hand(kind: Kind | 'state', event: unknown): void {
    for (const listener of [...(this.listeners.get(kind) ?? [])]) listener(event as never);
  }

  private changed(): void {
    this.hand('state', undefined);
  }

  private connect(): void {
    if (this.source || document.hidden) return;
    const source = new EventSource('/api/live');
    this.source = source;
    source.onopen = () => this.opened(true);
    source.onerror = () => {
      // A refusal (403, 503) closes it for good: tried again, slowly; anything else reconnects by itself.
      if (source.readyState === EventSource.CLOSED) {
        this.source = null;
        setTimeout(() => this.connect(), 5000);
      }
      this.opened(false);
    };
    for (const kind of KINDS)
      source.addEventListener(kind, (event) => this.take(kind, (event as MessageEvent<string>).data));
  }

  private opened(open: boolean): void {
    if (open === this.open && open) return;
    this.open = open;
    this.changed();
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    this.opened(false);
  }

  private take(kind: Kind, data: string): void {
    let event: LiveEvents[Kind];
    try {
      event = JSON.parse(data) as LiveEvents[Kind];
    } catch {
      return;
    }
    // The header tells the engine's state and the losses even while the rest stands still.
    if (!this.paused || kind === 'status') return this.hand(kind, event);
    this.fresh +=
      'slis' in event
        ? event.slis.length
        : 'series' in event
          ? event.series.length
          : 'alerts' in event
            ? event.alerts.length
            : 0;
    // Alerts are all kept, within reason; of values the newest one is enough.
    this.held.set(kind, kind === 'alerts' ? [...(this.held.get(kind) ?? []), event].slice(-100) : [event]);
    this.changed();
  }
}

export const live = new Live();
