// Which spans are shown as rows: all but those in folded subtrees, or those that a filter keeps. Also which of them is chosen.
import type { TraceData } from './trace_data';

export class SpanRows {
  rows: Uint32Array;
  private readonly folded = new Set<number>();
  private kept: Set<number> | null = null;
  private onlyErrors = false;
  chosen = -1;

  constructor(private readonly trace: TraceData) {
    this.rows = new Uint32Array(0);
    this.build();
  }

  private build(): void {
    const { trace, kept, folded } = this;
    const rows = new Uint32Array(trace.n);
    let count = 0;
    for (let i = 0; i < trace.n; ) {
      const hit =
        (!kept || kept.has(trace.name[i]!) || kept.has(trace.service[i]!)) &&
        (!this.onlyErrors || (trace.flags[i]! & 1) === 1);
      if (hit) rows[count++] = i;
      i = !kept && !this.onlyErrors && folded.has(i) ? trace.end[i]! : i + 1;
    }
    this.rows = rows.subarray(0, count);
  }

  filter(text: string, onlyErrors: boolean): void {
    this.kept = text ? this.trace.matching(text) : null;
    this.onlyErrors = onlyErrors;
    this.build();
  }

  hasChildren(i: number): boolean {
    return this.trace.end[i]! > i + 1;
  }
  isFolded(i: number): boolean {
    return this.folded.has(i);
  }
  fold(i: number, folded: boolean): void {
    if (!this.hasChildren(i)) return;
    if (folded) this.folded.add(i);
    else this.folded.delete(i);
    this.build();
  }
  /** Unfolds what hides a span. */
  reveal(i: number): void {
    for (let at = this.trace.parentOf(i); at >= 0; at = this.trace.parentOf(at)) this.folded.delete(at);
    this.build();
  }
  /** The row of a span, -1 where it is not shown: rows ascend, so that halving finds it. */
  rowOf(i: number): number {
    let [low, high] = [0, this.rows.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = this.rows[middle]!;
      if (at === i) return middle;
      if (at < i) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
