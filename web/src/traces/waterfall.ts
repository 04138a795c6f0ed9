// The waterfall: only the rows that are seen are drawn, on one canvas that sticks to the top of a scroller as tall as all rows would be.
// 100,000 spans cost a frame as much as 40. Labels left, bars right: faint for the whole time of a span, solid below for its own.
import { fitCanvas, h } from '../core/dom';
import { duration, plain } from '../core/format';
import { t } from '../core/i18n';
import { colour, FONT, onTheme } from '../core/theme';
import { FLAG, type TraceData } from './trace_data';
import type { SpanRows } from './span_rows';

export const ROW = 20;
const RULER = 22;
// Browsers give up on taller elements; beyond, a pixel of scroll is more than a pixel of rows.
const TALL_MAX = 8_000_000;
const LABEL_MAX = 160;
const DURATION_WIDTH = 70; // of its text, at the most
const PALETTE = ['span-1', 'span-2', 'span-3', 'span-4', 'span-5', 'span-6'];

export class Waterfall {
  readonly element: HTMLElement;
  private readonly canvas = h('canvas', { 'aria-hidden': 'true' });
  private readonly spacer = h('div', {});
  private frame = 0;
  private from = 0;
  private to: number;
  private readonly services: Map<number, number>;

  constructor(
    private readonly trace: TraceData,
    private readonly rows: SpanRows,
    private readonly events: {
      seen(from: number, to: number): void;
      choose(row: number, open: boolean): void;
      fold(i: number): void;
    },
    signal: AbortSignal,
  ) {
    this.to = trace.total;
    this.services = new Map();
    for (const service of trace.service)
      if (!this.services.has(service)) this.services.set(service, this.services.size);
    this.element = h(
      'div',
      { class: 'waterfall', tabindex: 0, role: 'application', 'aria-roledescription': t('wf.role') },
      this.canvas,
      this.spacer,
    );
    this.element.addEventListener('scroll', () => this.later());
    this.element.addEventListener('click', (event) => this.click(event));
    this.element.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(this.element);
    onTheme(() => this.draw(), signal);
    signal.addEventListener('abort', () => {
      resize.disconnect();
      cancelAnimationFrame(this.frame);
    });
    this.changed();
  }

  serviceColour(service: number): string {
    return colour(PALETTE[(this.services.get(service) ?? 0) % PALETTE.length]!);
  }
  get legend(): [string, string][] {
    return [...this.services]
      .slice(0, 12)
      .map(([text, n]) => [this.trace.texts[text] ?? '', PALETTE[n % PALETTE.length]!]);
  }

  /** After rows were folded or filtered. */
  changed(): void {
    this.spacer.style.height = `${Math.min(TALL_MAX, this.rows.rows.length * ROW + RULER)}px`;
    this.later();
  }

  later(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  private get shown(): number {
    return Math.max(1, Math.floor((this.element.clientHeight - RULER) / ROW));
  }
  private get first(): number {
    const hidden = Math.max(0, this.rows.rows.length - this.shown);
    const reach = Math.max(1, this.element.scrollHeight - this.element.clientHeight);
    return Math.min(hidden, Math.round((this.element.scrollTop / reach) * hidden));
  }

  /** Scrolls as little as shows a row. */
  show(row: number): void {
    const { first, shown } = this;
    if (row < first || row >= first + shown) {
      const target = row < first ? row : row - shown + 1;
      const hidden = Math.max(1, this.rows.rows.length - shown);
      this.element.scrollTop = (target / hidden) * (this.element.scrollHeight - this.element.clientHeight);
    }
    this.later();
  }

  zoom(from: number, to: number): void {
    const least = Math.min(this.trace.total, 10);
    const length = Math.min(this.trace.total, Math.max(least, to - from));
    this.from = Math.min(this.trace.total - length, Math.max(0, from));
    this.to = this.from + length;
    this.events.seen(this.from, this.to);
    this.later();
  }
  /** Zooms about a share of what is seen (0 left, 1 right), or moves by one. */
  zoomBy(factor: number, about = 0.5): void {
    const length = this.to - this.from;
    const middle = this.from + length * about;
    this.zoom(middle - length * factor * about, middle + length * factor * (1 - about));
  }
  pan(share: number): void {
    const by = (this.to - this.from) * share;
    this.zoom(this.from + by, this.to + by);
  }

  private get labelWidth(): number {
    return Math.min(440, Math.round(this.element.clientWidth * 0.4));
  }

  private click(event: MouseEvent): void {
    const rect = this.canvas.getBoundingClientRect();
    const y = event.clientY - rect.top - RULER;
    const row = this.first + Math.floor(y / ROW);
    if (y < 0 || row >= this.rows.rows.length) return;
    const i = this.rows.rows[row]!;
    const arrow = this.indent(i);
    const x = event.clientX - rect.left;
    if (this.rows.hasChildren(i) && x >= arrow - 4 && x < arrow + 12) this.events.fold(i);
    else this.events.choose(row, true);
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const area = this.canvas.clientWidth - this.labelWidth;
    const about = Math.min(1, Math.max(0, (event.offsetX - this.labelWidth) / area));
    if (event.ctrlKey) this.zoomBy(event.deltaY > 0 ? 1.25 : 0.8, about);
    else this.pan((event.deltaY || event.deltaX) / area);
  }

  private indent(i: number): number {
    return 8 + Math.min(14, this.trace.depth[i]!) * 12;
  }

  draw(): void {
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    if (width < 100 || height < ROW) return;
    const context = fitCanvas(this.canvas, width, height);
    // The canvas stands in the flow; the spacer begins where it does.
    this.spacer.style.marginTop = `${-height}px`;
    const { first } = this;
    const last = Math.min(this.rows.rows.length, first + this.shown + 1);
    const left = this.labelWidth;
    context.fillStyle = colour('panel');
    context.fillRect(0, 0, width, height);
    context.font = FONT;
    this.ruler(context, left, width, height);
    const chosen = this.rows.chosen;
    for (let row = first; row < last; row++) {
      const y = RULER + (row - first) * ROW;
      if (this.rows.rows[row] === chosen) {
        context.fillStyle = colour('pick');
        context.fillRect(0, y, width, ROW);
      }
    }
    context.save();
    context.beginPath();
    context.rect(0, RULER, left - 8, height);
    context.clip();
    for (let row = first; row < last; row++) this.label(context, this.rows.rows[row]!, RULER + (row - first) * ROW);
    context.restore();
    for (let row = first; row < last; row++)
      this.bar(context, this.rows.rows[row]!, RULER + (row - first) * ROW, left, width - 12);
  }

  private ruler(context: CanvasRenderingContext2D, left: number, width: number, height: number): void {
    const area = width - 12 - left;
    const step = niceStep((this.to - this.from) / Math.max(2, area / 110));
    context.strokeStyle = colour('grid');
    context.fillStyle = colour('dim');
    context.textAlign = 'center';
    context.beginPath();
    for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
      const x = Math.round(left + ((at - this.from) / (this.to - this.from)) * area) + 0.5;
      context.moveTo(x, RULER - 4);
      context.lineTo(x, height);
      if (x < width - 34) context.fillText(at === 0 ? '0' : duration(at), x, RULER - 8);
    }
    context.moveTo(0, RULER - 0.5);
    context.lineTo(width, RULER - 0.5);
    context.stroke();
    context.textAlign = 'left';
  }

  private label(context: CanvasRenderingContext2D, i: number, y: number): void {
    const { trace } = this;
    const x = this.indent(i);
    if (this.rows.hasChildren(i)) {
      context.fillStyle = colour('dim');
      context.fillText(this.rows.isFolded(i) ? '▸' : '▾', x, y + 14);
    }
    const failed = trace.has(i, FLAG.error);
    context.fillStyle = colour('ink');
    const sign = failed ? '■ ' : trace.has(i, FLAG.unfinished) ? '… ' : '';
    const name = `${sign}${plain(trace.nameOf(i), LABEL_MAX)}${this.rows.isFolded(i) ? ` (+${trace.end[i]! - i - 1})` : ''}`;
    context.fillText(name, x + 14, y + 14);
    context.fillStyle = colour('dim');
    context.fillText(plain(trace.serviceOf(i), 60), x + 22 + context.measureText(name).width, y + 14);
  }

  private bar(context: CanvasRenderingContext2D, i: number, y: number, left: number, right: number): void {
    const { trace } = this;
    const k = (right - left) / (this.to - this.from);
    const x0 = left + (trace.start[i]! - this.from) * k;
    const x1 = x0 + Math.max(1.5, trace.duration[i]! * k);
    const [a, b] = [Math.max(left, x0), Math.min(right, x1)];
    if (b >= left && a <= right) {
      const failed = trace.has(i, FLAG.error);
      const hue = failed ? colour('red') : this.serviceColour(trace.service[i]!);
      const w = Math.max(1.5, b - a);
      context.fillStyle = hue;
      context.globalAlpha = 0.45;
      context.fillRect(a, y + 4, w, ROW - 8);
      context.globalAlpha = 1;
      const own = trace.duration[i]! > 0 ? Math.min(1, trace.self[i]! / trace.duration[i]!) : 1;
      context.fillRect(a, y + ROW - 8, w * own, 4);
      if (trace.has(i, FLAG.critical)) {
        context.strokeStyle = colour('ink');
        context.lineWidth = 1.5;
        context.strokeRect(a + 0.5, y + 3.5, Math.max(1, w - 1), ROW - 7);
        context.lineWidth = 1;
      }
      const text = duration(trace.duration[i]!);
      // Behind the bar, else before it, else in it.
      const [behind, before] = [right - b > DURATION_WIDTH, a - left > DURATION_WIDTH];
      context.fillStyle = colour('ink');
      context.textAlign = behind || !before ? 'left' : 'right';
      context.fillText(text, behind ? b + 6 : before ? a - 6 : a + 4, y + 14);
      context.textAlign = 'left';
    }
  }
}

function niceStep(about: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, about)));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= about) ?? power * 10;
}
