// The histogram of a latency SLI over time: one pixel of an ImageData per cell, drawn large; exemplar dots on it open their trace. A box is
// dragged with the pointer, or with Shift and the arrow keys from the cell cursor; Enter opens the nearest dot or compares the box.
import { fitCanvas, h } from '../core/dom';
import { withUnit } from '../core/format';
import { t } from '../core/i18n';
import { go } from '../core/router';
import { colour, FONT, onTheme } from '../core/theme';
import type { Exemplar, Heatmap } from '../core/types';
import { LEFT, RIGHT } from './chart';
import { HeatScale } from './heat_scale';

const HEIGHT = 170;
const DOT = 4;
const NEAR = 10;
export interface Box {
  t0: number;
  t1: number;
  v0: number;
  v1: number;
}
type Point = { x: number; y: number };

function shades(): Uint32Array {
  const read = (name: string): number[] => (colour(name).match(/[\d.]+/g) ?? ['0', '0', '0']).slice(0, 3).map(Number);
  const [low, high] = [read('heat-low'), read('heat-high')];
  const out = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const [r, g, b] = low.map((from, k) => Math.round(from + ((high[k]! - from) * i) / 255));
    out[i] = (255 << 24) | (b! << 16) | (g! << 8) | r!;
  }
  return out;
}

/** The cells as a picture of columns × rows pixels. */
function picture(data: Heatmap): HTMLCanvasElement {
  const [columns, rows] = [Math.max(1, data.t.length), Math.max(1, data.bounds.length)];
  const canvas = h('canvas', { width: columns, height: rows });
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  let most = 1;
  for (const [, , n] of data.cells) most = Math.max(most, n);
  const [look, scale] = [shades(), 255 / Math.log1p(most)];
  for (const [column, row, n] of data.cells) {
    if (n > 0 && column < columns && row < rows)
      pixels[(rows - 1 - row) * columns + column] = look[Math.round(Math.log1p(n) * scale)]!;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

export class HeatmapView {
  readonly element: HTMLElement;
  private readonly canvas = h('canvas', { tabindex: 0, role: 'application', class: 'heat' });
  private scale: HeatScale | null = null;
  private image: HTMLCanvasElement | null = null;
  private data: Heatmap | null = null;
  private range: [number, number] = [0, 1];
  private anchor: Point | null = null;
  private cursor: Point | null = null;
  /** What is being compared: kept as moments and values, so that it moves with them. */
  private picked: Box | null = null;

  constructor(
    private readonly unit: string,
    private readonly compare: (box: Box) => void,
    signal: AbortSignal,
  ) {
    this.element = h('div', { class: 'heat-box' }, this.canvas);
    this.canvas.addEventListener('pointerdown', (event) => this.pointerDown(event));
    this.canvas.addEventListener('pointermove', (event) => this.pointerMove(event));
    this.canvas.addEventListener('pointerup', (event) => this.pointerUp(event));
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('blur', () => this.drop());
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(this.element);
    onTheme(() => {
      this.image = null;
      this.draw();
    }, signal);
    signal.addEventListener('abort', () => resize.disconnect());
  }

  set(data: Heatmap, from: number, to: number): void {
    this.data = data;
    this.range = [from, to];
    this.image = null;
    this.canvas.setAttribute(
      'aria-label',
      t('heat.sentence', { n: data.cells.reduce((sum, [, , n]) => sum + n, 0), dots: data.exemplars.length }),
    );
    this.draw();
  }

  /** Marks what is compared, or nothing. */
  pick(box: Box | null): void {
    this.picked = box;
    this.draw();
  }

  private draw(): void {
    const { data } = this;
    const width = this.element.clientWidth;
    if (!data || width < LEFT + RIGHT + 20) return;
    this.image ??= picture(data);
    const scale = (this.scale = new HeatScale(data, this.range[0], this.range[1], LEFT, width - LEFT - RIGHT, HEIGHT));
    const context = fitCanvas(this.canvas, width, HEIGHT);
    context.clearRect(0, 0, width, HEIGHT);
    context.imageSmoothingEnabled = false;
    const first = data.t[0] ?? this.range[0];
    const x0 = scale.x(first);
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, scale.width, HEIGHT);
    context.clip();
    context.drawImage(this.image, x0, 0, scale.x(first + scale.step * Math.max(1, data.t.length)) - x0, HEIGHT);
    for (const exemplar of data.exemplars) this.dot(context, exemplar, scale);
    context.restore();
    this.labels(context, scale);
    this.box(context);
  }

  private dot(context: CanvasRenderingContext2D, exemplar: Exemplar, scale: HeatScale): void {
    context.beginPath();
    context.arc(scale.x(exemplar.t), scale.y(exemplar.value), DOT, 0, 7);
    context.fillStyle = colour('dot');
    context.fill();
    context.strokeStyle = colour('panel');
    context.stroke();
  }

  private labels(context: CanvasRenderingContext2D, scale: HeatScale): void {
    const { bounds } = scale.data;
    context.font = FONT;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.fillStyle = colour('dim');
    const every = Math.max(1, Math.ceil(bounds.length / 6));
    for (let row = every - 1; row < bounds.length; row += every)
      context.fillText(withUnit(bounds[row]!, this.unit), LEFT - 8, Math.max(8, scale.edge(row + 1) + 6));
    context.strokeStyle = colour('grid');
    context.strokeRect(LEFT + 0.5, 0.5, scale.width - 1, HEIGHT - 1);
  }

  private box(context: CanvasRenderingContext2D): void {
    const { anchor, cursor, picked, scale } = this;
    let corners: [Point, Point] | null = anchor && cursor ? [anchor, cursor] : null;
    if (!corners && picked && scale) {
      const [low, high] = [scale.y(picked.v0), scale.y(picked.v1)];
      corners = [this.inside({ x: scale.x(picked.t0), y: low }), this.inside({ x: scale.x(picked.t1), y: high })];
    }
    context.strokeStyle = colour('ink');
    context.fillStyle = colour('pick');
    context.lineWidth = 1.5;
    if (corners) {
      const [x, y] = [Math.min(corners[0].x, corners[1].x), Math.min(corners[0].y, corners[1].y)];
      const [wide, tall] = [Math.abs(corners[0].x - corners[1].x), Math.abs(corners[0].y - corners[1].y)];
      context.fillRect(x, y, wide, tall);
      context.strokeRect(x, y, wide, tall);
    }
    if (cursor && !anchor) context.strokeRect(cursor.x - 6, cursor.y - 6, 12, 12);
    context.lineWidth = 1;
  }

  private at(event: PointerEvent): Point {
    const rect = this.canvas.getBoundingClientRect();
    return this.inside({ x: event.clientX - rect.left, y: event.clientY - rect.top });
  }
  private inside(point: Point): Point {
    const width = this.scale?.width ?? 0;
    return { x: Math.min(LEFT + width, Math.max(LEFT, point.x)), y: Math.min(HEIGHT, Math.max(0, point.y)) };
  }

  private near(point: Point): Exemplar | null {
    const { scale, data } = this;
    if (!scale || !data) return null;
    let best: Exemplar | null = null;
    let distance = NEAR;
    for (const exemplar of data.exemplars) {
      const d = Math.hypot(scale.x(exemplar.t) - point.x, scale.y(exemplar.value) - point.y);
      if (d <= distance) [best, distance] = [exemplar, d];
    }
    return best;
  }

  private pointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.anchor = this.cursor = this.at(event);
    this.canvas.setPointerCapture(event.pointerId);
  }
  private pointerMove(event: PointerEvent): void {
    const point = this.at(event);
    if (this.anchor && event.buttons & 1) {
      this.cursor = point;
      this.draw();
    } else {
      const exemplar = this.near(point);
      this.canvas.classList.toggle('over-dot', exemplar !== null);
      this.canvas.title = exemplar ? `${withUnit(exemplar.value, this.unit)} · ${exemplar.trace_id}` : '';
    }
  }
  private pointerUp(event: PointerEvent): void {
    const point = this.at(event);
    if (this.anchor && Math.hypot(point.x - this.anchor.x, point.y - this.anchor.y) > 5) {
      this.cursor = point;
      this.finish();
    } else {
      this.anchor = this.cursor = null;
      this.open(this.near(point));
    }
  }

  private key(event: KeyboardEvent): void {
    const move: Record<string, Point> = {
      ArrowLeft: { x: -8, y: 0 },
      ArrowRight: { x: 8, y: 0 },
      ArrowUp: { x: 0, y: -8 },
      ArrowDown: { x: 0, y: 8 },
    };
    const by = move[event.key];
    if (by) {
      const from = this.cursor ?? { x: LEFT + (this.scale?.width ?? 0) / 2, y: HEIGHT / 2 };
      this.anchor = event.shiftKey ? (this.anchor ?? from) : null;
      this.cursor = this.inside({ x: from.x + by.x, y: from.y + by.y });
      this.draw();
    } else if (event.key === 'Enter') {
      if (this.anchor) this.finish();
      else if (this.cursor) this.open(this.near(this.cursor) ?? this.nearest(this.cursor));
    } else if (event.key === 'Escape' && this.cursor) {
      this.drop();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
  private nearest(point: Point): Exemplar | null {
    const { scale, data } = this;
    if (!scale || !data) return null;
    const far = (e: Exemplar): number => Math.hypot(scale.x(e.t) - point.x, scale.y(e.value) - point.y);
    return data.exemplars.reduce<Exemplar | null>((best, e) => (best === null || far(e) < far(best) ? e : best), null);
  }

  private open(exemplar: Exemplar | null): void {
    if (exemplar) go(['traces', exemplar.trace_id, exemplar.span_id]);
  }
  private drop(): void {
    this.anchor = this.cursor = null;
    this.draw();
  }
  private finish(): void {
    const { anchor, cursor, scale } = this;
    if (!anchor || !cursor || !scale) return;
    const [x0, x1, y0, y1] = [
      Math.min(anchor.x, cursor.x),
      Math.max(anchor.x, cursor.x),
      Math.max(anchor.y, cursor.y),
      Math.min(anchor.y, cursor.y),
    ];
    this.drop();
    this.compare({ t0: scale.time(x0), t1: scale.time(x1), v0: scale.value(y0), v1: scale.value(y1) });
  }
}
