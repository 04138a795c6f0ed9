// The whole trace as a strip: how many spans run at each moment, where errors are, which part is seen. Dragging chooses the part.
import { fitCanvas, h } from '../core/dom';
import { t } from '../core/i18n';
import { colour, onTheme } from '../core/theme';
import { FLAG, type TraceData } from './trace_data';

export const MINI_HEIGHT = 44;

export class Minimap {
  readonly canvas = h('canvas', { class: 'minimap', role: 'img', 'aria-label': t('wf.minimap') });
  private density: Float32Array | null = null;
  private failed: Uint8Array = new Uint8Array(0);
  private from = 0;
  private drag: number | null = null;
  private seen: [number, number];

  constructor(
    private readonly trace: TraceData,
    private readonly zoom: (from: number, to: number) => void,
    signal: AbortSignal,
  ) {
    this.seen = [0, trace.total];
    const at = (event: PointerEvent): number =>
      Math.min(1, Math.max(0, event.offsetX / this.canvas.clientWidth)) * trace.total;
    this.canvas.addEventListener('pointerdown', (event) => {
      this.drag = this.from = at(event);
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (this.drag === null) return;
      this.drag = at(event);
      this.draw(...this.seen);
    });
    this.canvas.addEventListener('pointerup', (event) => {
      const [a, b] = [Math.min(this.from, at(event)), Math.max(this.from, at(event))];
      this.drag = null;
      if (b - a > trace.total / 400) this.zoom(a, b);
      else this.zoom(0, trace.total);
    });
    onTheme(() => this.draw(...this.seen), signal);
  }

  private count(width: number): void {
    const { trace } = this;
    // Differences at both ends, then summed: one pass whatever the spans' length.
    const steps = new Float32Array(width + 1);
    this.failed = new Uint8Array(width);
    const k = width / trace.total;
    for (let i = 0; i < trace.n; i++) {
      const x0 = Math.min(width - 1, Math.floor(trace.start[i]! * k));
      const x1 = Math.min(width - 1, Math.floor((trace.start[i]! + trace.duration[i]!) * k));
      steps[x0]! += 1;
      steps[x1 + 1]! -= 1;
      if (trace.flags[i]! & FLAG.error) this.failed[x0] = 1;
    }
    for (let x = 1; x <= width; x++) steps[x]! += steps[x - 1]!;
    this.density = steps.subarray(0, width);
  }

  draw(from: number, to: number): void {
    this.seen = [from, to];
    const width = Math.floor(this.canvas.parentElement?.clientWidth ?? 0);
    if (width < 20) return;
    const context = fitCanvas(this.canvas, width, MINI_HEIGHT);
    if (this.density?.length !== width) this.count(width);
    context.clearRect(0, 0, width, MINI_HEIGHT);
    let most = 1;
    for (const n of this.density!) most = Math.max(most, n);
    context.fillStyle = colour('mini');
    for (let x = 0; x < width; x++) {
      const tall = (Math.sqrt(this.density![x]!) / Math.sqrt(most)) * (MINI_HEIGHT - 8);
      context.fillRect(x, MINI_HEIGHT - tall, 1, tall);
    }
    context.fillStyle = colour('red');
    for (let x = 0; x < width; x++) if (this.failed[x]) context.fillRect(x - 1, 0, 3, 5);
    const k = width / this.trace.total;
    context.fillStyle = colour('veil');
    context.fillRect(0, 0, from * k, MINI_HEIGHT);
    context.fillRect(to * k, 0, width - to * k, MINI_HEIGHT);
    context.strokeStyle = colour('ink');
    const [a, b] =
      this.drag === null
        ? [from * k, to * k]
        : [Math.min(this.from, this.drag) * k, Math.max(this.from, this.drag) * k];
    context.strokeRect(a + 0.5, 0.5, Math.max(1, b - a - 1), MINI_HEIGHT - 1);
  }
}
