// A card: one SLI at a glance, a link to itself enlarged. update() changes what is shown in place, four times a second at most.
import { h, replace } from '../core/dom';
import { plain, withUnit } from '../core/format';
import { chip, levelOf } from '../core/levels';
import { address } from '../core/router';
import type { Sli } from '../core/types';
import { ageOf, facts, gauge, objective, sentence, sparkline } from './sli_text';

export interface Card {
  element: HTMLElement;
  update(sli: Sli): void;
  tick(): void;
}

export function sliCard(first: Sli, n: number, since: string): Card {
  let sli = first;
  const link = h('a', { class: 'name', href: address(['slis', sli.sli_name], { since }), 'data-row': true });
  const head = h('div', { class: 'card-head' });
  const value = h('div', { class: 'value', 'data-sli': sli.sli_name });
  const picture = h('div', {});
  const list = h('dl', {});
  const age = h('div', { class: 'dim age' });
  const element = h('article', { class: 'card' }, head, link, value, picture, list, age);
  element.addEventListener('click', (event) => {
    if (!(event.target as HTMLElement).closest('a')) link.click();
  });
  const card = {
    element,
    update(next: Sli): void {
      sli = next;
      element.dataset.state = levelOf(sli.state);
      replace(
        head,
        chip(sli.state),
        h('span', { class: 'dim module' }, plain(sli.module)),
        h('kbd', { 'aria-hidden': 'true' }, n),
      );
      replace(link, ...plain(sli.sli_name).split(/(?<=_)/).flatMap((part) => [part, h('wbr', {})]));
      link.setAttribute('aria-label', sentence(sli));
      replace(value, h('strong', {}, withUnit(sli.value, sli.unit)), h('span', { class: 'dim' }, ` ${objective(sli)}`));
      replace(picture, gauge(sli), sparkline(sli.spark ?? []));
      replace(list, ...facts(sli).flatMap(([label, text]) => [h('dt', {}, label), h('dd', {}, text)]));
      card.tick();
    },
    tick(): void {
      age.textContent = ageOf(sli);
    },
  };
  card.update(first);
  return card;
}
