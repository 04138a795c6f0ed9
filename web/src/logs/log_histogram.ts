// How many lines of each level at each moment, as stacked bars; a click on a bar shows its interval.
import { fitCanvas, h } from '../core/dom';
import { count, secondsToNano, time } from '../core/format';
import { t } from '../core/i18n';
import { colour, FONT, onTheme } from '../core/theme';
import type { LogHistogram } from '../core/types';
import { LOG_LEVELS, type LogLevel } from './log_text';

const HEIGHT = 90;
const FOOT = 16;

export class LogBars {
  readonly element = h('div', { class: 'log-bars' });
  private readonly canvas = h('canvas', { role: 'img' });
  private data: LogHistogram | null = null;
  hidden = new Set<LogLevel>();

  constructor(interval: (from: number, to: number) => void, signal: AbortSignal) {
    this.element.append(this.canvas);
    this.canvas.addEventListener('click', (event) => {
      const column = this.column(event.offsetX);
      if (column !== null && this.data) interval(this.data.t[column]!, this.data.t[column]! + this.data.step_s);
    });
    this.canvas.addEventListener('pointermove', (event) => {
      const column = this.column(event.offsetX);
      this.canvas.title =
        column === null || !this.data
          ? ''
          : `${time(secondsToNano(this.data.t[column]!), 0, true)} · ${LOG_LEVELS.map((level) => `${level} ${count(this.data!.levels[level]?.[column] ?? 0)}`).join(' · ')}`;
    });
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(this.element);
    onTheme(() => this.draw(), signal);
    signal.addEventListener('abort', () => resize.disconnect());
  }

  private column(x: number): number | null {
    const n = this.data?.t.length ?? 0;
    const column = Math.floor((x / this.canvas.clientWidth) * n);
    return column >= 0 && column < n ? column : null;
  }

  total(level: LogLevel): number {
    return (this.data?.levels[level] ?? []).reduce((sum, n) => sum + n, 0);
  }

  get rows(): [number, number[]][] {
    return (this.data?.t ?? []).map((at, i) => [at, LOG_LEVELS.map((level) => this.data!.levels[level]?.[i] ?? 0)]);
  }

  set(data: LogHistogram): void {
    this.data = data;
    this.canvas.setAttribute(
      'aria-label',
      t('logs.bars', { what: LOG_LEVELS.map((level) => `${level} ${count(this.total(level))}`).join(', ') }),
    );
    this.draw();
  }

  draw(): void {
    const { data } = this;
    const width = this.element.clientWidth;
    if (!data || width < 50) return;
    const context = fitCanvas(this.canvas, width, HEIGHT);
    context.clearRect(0, 0, width, HEIGHT);
    const shown = [...LOG_LEVELS].reverse().filter((level) => !this.hidden.has(level));
    const n = data.t.length;
    let most = 1;
    for (let i = 0; i < n; i++)
      most = Math.max(
        most,
        shown.reduce((sum, level) => sum + (data.levels[level]?.[i] ?? 0), 0),
      );
    const each = width / Math.max(1, n);
    for (let i = 0; i < n; i++) {
      let y = HEIGHT - FOOT;
      for (const level of shown) {
        const lines = data.levels[level]?.[i] ?? 0;
        if (lines === 0) continue;
        // A single error beside thousands of lines is still a pixel or two.
        const tall = Math.max(2, (lines / most) * (HEIGHT - FOOT - 4));
        context.fillStyle = colour(`log-${level}`);
        context.fillRect(i * each, y - tall, Math.max(1, each - 1), tall);
        y -= tall;
      }
    }
    context.font = FONT;
    context.fillStyle = colour('dim');
    for (let k = 0; k <= 4; k++) {
      const i = Math.min(n - 1, Math.round((k / 4) * (n - 1)));
      if (i < 0) break;
      context.textAlign = k === 0 ? 'left' : k === 4 ? 'right' : 'center';
      context.fillText(time(secondsToNano(data.t[i]!), 0), k === 4 ? width : i * each, HEIGHT - 3);
    }
  }
}
