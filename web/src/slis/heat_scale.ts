// Where a moment and a value stand on the heatmap, and back. Rows are the histogram's buckets, all of one height: their bounds grow by a
// factor, so that the picture is logarithmic.
import type { Heatmap } from '../core/types';

export class HeatScale {
  constructor(
    readonly data: Heatmap,
    readonly from: number,
    readonly to: number,
    readonly left: number,
    readonly width: number,
    readonly height: number,
  ) {}

  get step(): number {
    return this.data.t.length > 1 ? this.data.t[1]! - this.data.t[0]! : Math.max(1, this.to - this.from);
  }
  x(at: number): number {
    return this.left + ((at - this.from) / (this.to - this.from)) * this.width;
  }
  time(x: number): number {
    return this.from + ((x - this.left) / this.width) * (this.to - this.from);
  }
  /** Lower edge of row r, in pixels. */
  edge(row: number): number {
    return this.height - (row / Math.max(1, this.data.bounds.length)) * this.height;
  }
  y(value: number): number {
    const { bounds } = this.data;
    const row = this.row(value);
    const high = bounds[row] ?? value;
    const low = bounds[row - 1] ?? high / 2;
    const within = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
    return this.edge(row + within);
  }
  /** The first bucket whose upper bound is not below the value. */
  row(value: number): number {
    const { bounds } = this.data;
    let [low, high] = [0, bounds.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bounds[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low);
  }
  value(y: number): number {
    const { bounds } = this.data;
    if (bounds.length === 0) return 0;
    const at = Math.min(bounds.length, Math.max(0, (1 - y / this.height) * bounds.length));
    const row = Math.min(bounds.length - 1, Math.floor(at));
    const high = bounds[row]!;
    const low = bounds[row - 1] ?? 0;
    return low + (high - low) * Math.min(1, at - row);
  }
}
