// The lines of an SLI over its threshold bands, by uPlot. The newest value comes live, between two stored points; the axis below is shared
// with the heatmap: same margins, same range.
import uPlot from 'uplot';
import { number, plain, secondsToNano, time, withUnit } from '../core/format';
import { t } from '../core/i18n';
import { LEVELS } from '../core/levels';
import { settings } from '../core/settings';
import { colour, FONT, onTheme } from '../core/theme';
import type { History, Level, Sli } from '../core/types';
import { BANDS } from './sli_text';

export const LEFT = 72;
export const RIGHT = 16;
const HEIGHT = 250;

/** Times under an axis: as fine as its steps are. */
export function ticks(splits: number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((at) => {
    const nano = secondsToNano(at);
    if (step >= 86400) return time(nano, 0, true).slice(5, 10);
    return step >= 60 ? time(nano, 0).slice(0, 5) : time(nano, 0);
  });
}

/** Text that stays legible over lines. */
function mark(u: uPlot, text: string, x: number, y: number, align: CanvasTextAlign): void {
  const { ctx } = u;
  const ratio = window.devicePixelRatio || 1;
  ctx.font = FONT.replace('12px', `${11 * ratio}px`);
  // uPlot leaves these as it used them last.
  ctx.textAlign = align;
  ctx.textBaseline = 'bottom';
  ctx.lineWidth = 4 * ratio;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colour('panel');
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour('ink');
  ctx.fillText(text, x, y);
}

/** Where each band lies, in pixels of the canvas: level, its limit, top, bottom. */
function bandsOf(u: uPlot, sli: Sli): [Level, number, number, number][] {
  return BANDS.flatMap((level, i) => {
    const from = sli[level];
    if (from === null || from === undefined) return [];
    const to = BANDS.slice(i + 1)
      .map((next) => sli[next])
      .find((next) => next !== null && next !== undefined);
    const bottom = Math.min(u.valToPos(from, 'y', true), u.bbox.top + u.bbox.height);
    const top = to === undefined || to === null ? u.bbox.top : Math.max(u.bbox.top, u.valToPos(to, 'y', true));
    return bottom > u.bbox.top ? [[level, from, top, bottom] as [Level, number, number, number]] : [];
  });
}

function bands(sli: () => Sli): uPlot.Plugin {
  return {
    hooks: {
      drawClear: (u) => {
        for (const [level, , top, bottom] of bandsOf(u, sli())) {
          u.ctx.fillStyle = colour(`band-${level}`);
          u.ctx.fillRect(u.bbox.left, top, u.bbox.width, bottom - top);
        }
      },
      draw: (u) => {
        const ratio = window.devicePixelRatio || 1;
        const { ctx, bbox } = u;
        ctx.save();
        for (const [level, from, top, bottom] of bandsOf(u, sli())) {
          if (bottom - top > 12 * ratio)
            mark(
              u,
              `${LEVELS[level].sign} ${t(`level.${level}`)} > ${withUnit(from, sli().unit)}`,
              bbox.left + 6 * ratio,
              bottom - 2 * ratio,
              'left',
            );
        }
        const limit = sli().objective;
        const y = limit === null ? -1 : u.valToPos(limit, 'y', true);
        if (limit !== null && y > bbox.top) {
          ctx.strokeStyle = colour('ink');
          ctx.lineWidth = ratio;
          ctx.setLineDash([6 * ratio, 4 * ratio]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.setLineDash([]);
          mark(
            u,
            `${t('sli.objective')} < ${withUnit(limit, sli().unit)}`,
            bbox.left + bbox.width - 6 * ratio,
            y - 3 * ratio,
            'right',
          );
        }
        ctx.restore();
      },
    },
  };
}

const LOOK: Record<string, Partial<uPlot.Series>> = {
  value: { stroke: () => colour('ink'), width: 2 },
  p50: { stroke: () => colour('line-50'), width: 1.5 },
  p95: { stroke: () => colour('ink'), width: 2 },
  p99: { stroke: () => colour('line-99'), width: 1.5, dash: [5, 3] },
};
const grid = { stroke: () => colour('grid'), width: 1 };
const TICK_HALF = 30; // of the width of a time
const AXIS = { stroke: () => colour('dim'), grid, ticks: grid, font: FONT };

/** Times of the axis; one that would be cut off at the right edge is left out. */
const edged = (plot: uPlot, splits: number[]): string[] =>
  ticks(splits).map((text, i) => (plot.width - LEFT - RIGHT - plot.valToPos(splits[i]!, 'x') < TICK_HALF - RIGHT ? '' : text));

export class SliChart {
  private history: History | null = null;
  private range: [number, number] = [0, 1];
  private newest: [number, number] | null = null;
  private plot: uPlot | null = null;

  constructor(
    private readonly place: HTMLElement,
    private sli: Sli,
    signal: AbortSignal,
  ) {
    const resize = new ResizeObserver(() => {
      if (this.plot && Math.abs(this.plot.width - this.width) > 1)
        this.plot.setSize({ width: this.width, height: HEIGHT });
    });
    resize.observe(place);
    onTheme(() => this.plot?.redraw(), signal);
    signal.addEventListener('abort', () => {
      resize.disconnect();
      this.plot?.destroy();
    });
  }

  setSli(sli: Sli): void {
    this.sli = sli;
  }

  setHistory(history: History, from: number, to: number): void {
    this.history = history;
    this.range = [from, to];
    this.place.setAttribute('role', 'img');
    this.place.setAttribute('aria-label', chartSentence(this.sli, history));
    if (this.plot) this.plot.setData(this.data());
    else this.create();
  }

  /** The value of this moment, until the stored points have passed it. */
  live(at: number, value: number | null): void {
    this.newest = value === null ? this.newest : [at, value];
    if (!this.plot || !this.history) return;
    if (at > this.range[1]) this.range = [this.range[0] + at - this.range[1], at];
    this.plot.setData(this.data());
  }

  private get width(): number {
    return Math.max(280, this.place.clientWidth);
  }

  private get lines(): ('value' | 'p50' | 'p95' | 'p99')[] {
    return this.sli.kind === 'ratio' ? ['value'] : ['p50', 'p95', 'p99'];
  }

  /** The line that is judged is the one that the live value continues. */
  private get judged(): string {
    if (this.sli.kind === 'ratio') return 'value';
    return this.sli.quantile === 0.5 ? 'p50' : this.sli.quantile === 0.99 ? 'p99' : 'p95';
  }

  private data(): uPlot.AlignedData {
    const { history, newest, lines } = this;
    const t = history?.t ?? [];
    const columns = lines.map((name) => history?.[name] ?? t.map(() => null));
    if (!newest || newest[0] <= (t[t.length - 1] ?? 0)) return [t, ...columns];
    return [[...t, newest[0]], ...columns.map((column, i) => [...column, lines[i] === this.judged ? newest[1] : null])];
  }

  private create(): void {
    const top = (_u: uPlot, _low: number, high: number): [number, number] => {
      const { yellow, objective } = this.sli;
      return [0, Math.max(high || 0, yellow ?? 0, objective ?? 0) * 1.25 || 1];
    };
    const shown = (value: number | null): string => (value === null ? '–' : withUnit(value, this.sli.unit));
    const series = this.lines.map((name) => ({
      label: name === 'value' ? t('sli.value') : name,
      value: (_u: uPlot, value: number | null) => shown(value),
      points: { size: 4 },
      ...LOOK[name],
    }));
    this.plot = new uPlot(
      {
        width: this.width,
        height: HEIGHT,
        padding: [12, RIGHT, 0, 0],
        cursor: { drag: { x: false, y: false } },
        tzDate: (at) => (settings.utc ? uPlot.tzDate(new Date(at * 1e3), 'Etc/UTC') : new Date(at * 1e3)),
        scales: { x: { time: true, range: () => this.range }, y: { range: top } },
        axes: [
          { ...AXIS, size: 30, space: 80, values: edged },
          { ...AXIS, size: LEFT, values: (_u, splits) => splits.map((split) => (split === 0 ? '0' : shown(split))) },
        ],
        series: [
          { label: t('time'), value: (_u, at) => (at === null ? '–' : time(secondsToNano(at), 0, true)) },
          ...series,
        ],
        plugins: [bands(() => this.sli)],
      },
      this.data(),
      this.place,
    );
    this.plot.root.querySelector('canvas')?.setAttribute('aria-hidden', 'true');
  }
}

function chartSentence(sli: Sli, history: History): string {
  const values = history.value.filter((value): value is number => value !== null);
  const [low, high] = values.length
    ? [number(Math.min(...values)), withUnit(Math.max(...values), sli.unit)]
    : ['–', '–'];
  return t('sli.chart', { name: plain(sli.sli_name), n: values.length, low, high });
}
