// The lines of an SLI over its threshold bands, by uPlot. The newest value comes live, between two stored points; the axis below is shared
// with the heatmap: same margins, same range.
import uPlot from 'uplot';
import { number, secondsToNano, time, withUnit } from '../core/format';
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

export interface Chart {
  setHistory(history: History, from: number, to: number): void;
  setSli(sli: Sli): void;
  live(at: number, value: number | null): void;
}

export function sliChart(place: HTMLElement, first: Sli, signal: AbortSignal): Chart {
  let sli = first;
  let history: History | null = null;
  let range: [number, number] = [0, 1];
  let newest: [number, number | null] | null = null;
  let plot: uPlot | null = null;
  const width = (): number => Math.max(280, place.clientWidth);
  const lines = (): (keyof History)[] => (sli.kind === 'ratio' ? ['value'] : ['p50', 'p95', 'p99']);
  // The line that is judged is the one that the live value continues.
  const judged = (): keyof History =>
    sli.kind === 'ratio' ? 'value' : sli.quantile === 0.5 ? 'p50' : sli.quantile === 0.99 ? 'p99' : 'p95';

  const data = (): uPlot.AlignedData => {
    const base = history!;
    const columns = lines().map((name) => (base[name] as (number | null)[] | undefined) ?? base.t.map(() => null));
    const last = base.t[base.t.length - 1] ?? 0;
    if (!newest || newest[0] <= last || newest[1] === null) return [base.t, ...columns];
    return [
      [...base.t, newest[0]],
      ...columns.map((column, i) => [...column, lines()[i] === judged() ? newest![1] : null]),
    ];
  };
  const top = (_u: uPlot, _low: number, high: number): [number, number] => [
    0,
    Math.max(high || 0, sli.yellow ?? 0, sli.objective ?? 0) * 1.25 || 1,
  ];
  const look: Record<string, Partial<uPlot.Series>> = {
    value: { stroke: () => colour('ink'), width: 2 },
    p50: { stroke: () => colour('line-50'), width: 1.5 },
    p95: { stroke: () => colour('ink'), width: 2 },
    p99: { stroke: () => colour('line-99'), width: 1.5, dash: [5, 3] },
  };
  const axis = {
    stroke: () => colour('dim'),
    grid: { stroke: () => colour('grid'), width: 1 },
    ticks: { stroke: () => colour('grid'), width: 1 },
    font: FONT,
  };

  const create = (): void => {
    plot?.destroy();
    place.replaceChildren();
    plot = new uPlot(
      {
        width: width(),
        height: HEIGHT,
        padding: [12, RIGHT, 0, 0],
        cursor: { drag: { x: false, y: false } },
        legend: { live: true },
        tzDate: (at) => (settings.utc ? uPlot.tzDate(new Date(at * 1e3), 'Etc/UTC') : new Date(at * 1e3)),
        scales: { x: { time: true, range: () => range }, y: { range: top } },
        axes: [
          { ...axis, size: 30, values: (_u, splits) => ticks(splits) },
          { ...axis, size: LEFT, values: (_u, splits) => splits.map((value) => withUnit(value, sli.unit)) },
        ],
        series: [
          { label: t('time'), value: (_u, at) => (at === null ? '–' : time(secondsToNano(at), 0, true)) },
          ...lines().map((name) => ({
            label: name === 'value' ? t('sli.value') : String(name),
            value: (_u: uPlot, value: number | null) => (value === null ? '–' : withUnit(value, sli.unit)),
            points: { size: 4 },
            ...look[name],
          })),
        ],
        plugins: [bands(() => sli)],
      },
      data(),
      place,
    );
    plot.root.querySelector('canvas')?.setAttribute('aria-hidden', 'true');
  };
  const resize = new ResizeObserver(() => {
    if (plot && Math.abs(plot.width - width()) > 1) plot.setSize({ width: width(), height: HEIGHT });
  });
  resize.observe(place);
  onTheme(() => plot?.redraw(), signal);
  signal.addEventListener('abort', () => {
    resize.disconnect();
    plot?.destroy();
  });
  return {
    setHistory(next, from, to) {
      history = next;
      range = [from, to];
      place.setAttribute('role', 'img');
      place.setAttribute('aria-label', chartSentence(sli, next));
      if (plot) plot.setData(data());
      else create();
    },
    setSli(next) {
      sli = next;
    },
    live(at, value) {
      newest = [at, value];
      if (!plot || !history) return;
      if (at > range[1]) range = [range[0] + at - range[1], at];
      plot.setData(data());
    },
  };
}

function chartSentence(sli: Sli, history: History): string {
  const values = history.value.filter((value): value is number => value !== null);
  return t('sli.chart', {
    name: sli.sli_name,
    n: values.length,
    low: values.length ? number(Math.min(...values)) : '–',
    high: values.length ? withUnit(Math.max(...values), sli.unit) : '–',
  });
}
