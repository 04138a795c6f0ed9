// #/slis, #/slis/NAME: the enlarged SLI (the worst, unless one is named), the others as cards, worst first, and below them every metric.
// Live values come by the stream; what is stored is read again with each tick of 10 s.
import { get } from '../core/api';
import { command, showCommand } from '../core/command';
import { h, replace } from '../core/dom';
import { plain } from '../core/format';
import { t } from '../core/i18n';
import { bind, walk } from '../core/keys';
import { levelOf } from '../core/levels';
import { live } from '../core/live';
import { amend } from '../core/router';
import { empty, problem } from '../core/table';
import type { Sli } from '../core/types';
import { aborted, every, type Context } from '../core/view';
import { metricsPanel } from './metrics_panel';
import { sliCard, type Card } from './sli_card';
import { SliDetail } from './sli_detail';
import { worstFirst } from './sli_text';

const TICK_MS = 10000;
const secondsText = (at: number): string => new Date(at).toISOString();

class SlisView {
  private slis: Sli[] = [];
  private readonly cards = new Map<string, Card>();
  private detail: SliDetail | null = null;
  private readonly big = h('div', {});
  private readonly grid = h('div', { class: 'cards', role: 'list', 'aria-label': t('tab.slis') });
  private readonly trouble = h('div', {});
  private readonly unknown = h('div', {});

  constructor(private readonly context: Context) {}

  async open(): Promise<void> {
    const { root, signal } = this.context;
    const metrics = h('div', {});
    root.append(h('h1', { class: 'unseen' }, t('tab.slis')), this.unknown, this.trouble, this.big, this.grid, metrics);
    bind(walk(root, '[data-row]'), signal);
    const shown = metricsPanel(metrics, signal);
    await this.refresh(false);
    live.on(
      'slis',
      (event) => {
        for (const change of event.slis)
          this.change(change.sli_name, change.value, change.state, change.consecutive, event.t);
      },
      signal,
    );
    let was = live.state;
    live.onState(() => {
      if (was === 'paused' && live.state === 'live') void this.refresh();
      was = live.state;
    }, signal);
    live.on('alerts', () => void this.refresh(), signal);
    every(
      TICK_MS,
      () => {
        if (!live.paused) void this.refresh();
      },
      signal,
    );
    every(
      1000,
      () => {
        for (const card of this.cards.values()) card.tick();
        this.detail?.tick();
      },
      signal,
    );
    await shown;
  }

  private chosen(): Sli | undefined {
    const { parts, query } = this.context.place;
    const n = query.get('n');
    if (parts[1]) return this.slis.find((sli) => sli.sli_name === parts[1]);
    return n ? this.slis[Number(n) - 1] : worstFirst(this.slis)[0];
  }

  private async read(): Promise<void> {
    const { signal, place, since } = this.context;
    this.slis = (await get<{ slis: Sli[] }>('/api/slis', {}, signal)).slis;
    const chosen = this.chosen();
    showCommand(command(['sli', ...(place.parts[1] && chosen ? [chosen.sli_name] : [])], {}));
    if (this.slis.length === 0) {
      replace(this.big, empty(t('sli.none'), 'honeytel demo'));
      return;
    }
    const asked = plain(place.parts[1] ?? place.query.get('n') ?? '', 80);
    replace(this.unknown, chosen ? null : empty(t('sli.unknown', { name: asked }), 'honeytel sli'));
    const shown = chosen ?? worstFirst(this.slis)[0]!;
    if (this.detail?.name !== shown.sli_name) {
      this.detail?.close();
      this.detail = new SliDetail(this.big, shown, since, signal);
    }
    this.detail.update(shown);
    for (const [i, sli] of this.slis.entries()) {
      const card = this.cards.get(sli.sli_name);
      if (card) card.update(sli);
      else this.cards.set(sli.sli_name, sliCard(sli, i + 1, since));
    }
    this.order(shown.sli_name);
  }

  /** Cards move only when the order changed and none of them has the focus: a card must not run away from who is about to press it. */
  private order(shown: string): void {
    const wanted = worstFirst(this.slis)
      .filter((sli) => sli.sli_name !== shown)
      .map((sli) => this.cards.get(sli.sli_name)!.element);
    const now = [...this.grid.children];
    if (now.length === wanted.length && now.every((element, i) => element === wanted[i])) return;
    if (now.length === wanted.length && this.grid.contains(document.activeElement)) return;
    for (const element of wanted) element.setAttribute('role', 'listitem');
    this.grid.replaceChildren(...wanted);
  }

  /** The detail reads its history itself when it is made: `again` for later. */
  private async refresh(again = true): Promise<void> {
    try {
      await this.read();
      if (again) await this.detail?.refresh();
      replace(this.trouble);
    } catch (error) {
      if (!aborted(error)) replace(this.trouble, problem(error));
    }
  }

  private change(name: string, value: number | null, state: string, consecutive: number, at: number): void {
    const sli = this.slis.find((one) => one.sli_name === name);
    if (!sli) return;
    const level = levelOf(state);
    const moved = level !== sli.state;
    Object.assign(sli, { value: value ?? sli.value, state: level, consecutive, newest_point: secondsText(at) });
    this.cards.get(name)?.update(sli);
    if (this.detail?.name === name) {
      this.detail.update(sli);
      this.detail.live(at / 1000, value);
    }
    if (moved) this.order(this.detail?.name ?? '');
  }
}

export async function slisView(context: Context): Promise<void> {
  if (context.place.query.get('n')) amend({ since: context.since });
  await new SlisView(context).open();
}
