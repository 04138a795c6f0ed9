// A list of any length of which only the rows in sight are elements. One tab stop; the chosen row is told by aria-activedescendant.
import { h } from '../core/dom';
import type { Bindings } from '../core/keys';

const EXTRA = 6;

export class VirtualList<T> {
  readonly element: HTMLElement;
  private readonly inner = h('div', { class: 'vlist-inner', role: 'presentation' });
  private items: T[] = [];
  private drawn: [number, number] = [-1, -1];
  chosen = -1;

  constructor(
    private readonly rowHeight: number,
    label: string,
    private readonly render: (item: T) => HTMLElement,
    private readonly open: (item: T) => void,
    signal: AbortSignal,
  ) {
    this.element = h('div', { class: 'vlist', role: 'listbox', tabindex: 0, 'aria-label': label }, this.inner);
    this.element.addEventListener('scroll', () => this.draw());
    const resize = new ResizeObserver(() => this.draw());
    resize.observe(this.element);
    signal.addEventListener('abort', () => resize.disconnect());
  }

  set(items: T[], keep?: (item: T) => string): void {
    const was = this.items[this.chosen];
    const key = was !== undefined && keep ? keep(was) : null;
    this.items = items;
    this.chosen = key === null ? -1 : items.findIndex((item) => keep!(item) === key);
    this.inner.style.height = `${items.length * this.rowHeight}px`;
    this.draw(true);
  }

  get atTop(): boolean {
    return this.element.scrollTop < this.rowHeight;
  }

  private draw(anew = false): void {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.rowHeight) - EXTRA);
    const last = Math.min(this.items.length, first + Math.ceil(this.element.clientHeight / this.rowHeight) + 2 * EXTRA);
    if (!anew && first === this.drawn[0] && last === this.drawn[1]) return;
    this.drawn = [first, last];
    this.inner.replaceChildren(
      ...this.items.slice(first, last).map((item, i) => {
        const n = first + i;
        const row = this.render(item);
        row.id = `row-${n}`;
        row.setAttribute('role', 'option');
        row.setAttribute('aria-selected', String(n === this.chosen));
        row.setAttribute('aria-setsize', String(this.items.length));
        row.setAttribute('aria-posinset', String(n + 1));
        row.classList.add('vrow');
        row.style.top = `${n * this.rowHeight}px`;
        row.style.height = `${this.rowHeight}px`;
        row.addEventListener('click', (event) => {
          if ((event.target as HTMLElement).closest('a')) return;
          this.choose(n);
          this.open(item);
        });
        return row;
      }),
    );
    if (this.chosen >= first && this.chosen < last)
      this.element.setAttribute('aria-activedescendant', `row-${this.chosen}`);
    else this.element.removeAttribute('aria-activedescendant');
  }

  choose(n: number): void {
    if (this.items.length === 0) return;
    this.chosen = Math.min(this.items.length - 1, Math.max(0, n));
    const top = this.chosen * this.rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight)
      this.element.scrollTop = top + this.rowHeight - clientHeight;
    this.draw(true);
  }

  get keys(): Bindings {
    const to = (n: () => number) => () => {
      this.element.focus({ preventScroll: true });
      this.choose(n());
    };
    const [down, up] = [to(() => this.chosen + 1), to(() => this.chosen - 1)];
    return {
      j: down,
      ArrowDown: down,
      k: up,
      ArrowUp: up,
      g: to(() => 0),
      G: to(() => this.items.length - 1),
      PageDown: to(() => this.chosen + 20),
      PageUp: to(() => this.chosen - 20),
      Enter: () => {
        const item = this.items[this.chosen];
        if (item === undefined) return false;
        this.open(item);
      },
    };
  }
}
