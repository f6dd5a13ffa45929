// The routes into a card: what is there, and the steps to what is wanted.
import { formatPrefix, type Prefix } from '../protocol/ip/prefix.ts';
import type { NetworkCard } from './network-card.ts';
import { isIpv6Off, type CardParts } from './tun-card.ts';

export class CardRoutes {
  readonly #parts: CardParts;
  readonly #card: NetworkCard;
  readonly #there = new Map<string, Prefix>();

  constructor(parts: CardParts, card: NetworkCard) {
    this.#parts = parts;
    this.#card = card;
  }

  /** Makes these the card's routes; all that can be are set before the first error is thrown. */
  set(prefixes: readonly Prefix[]): void {
    const { cards } = this.#parts;
    const wanted = new Map(prefixes.map(prefix => [formatPrefix(prefix), prefix]));
    const errors: unknown[] = [];
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        if (!isIpv6Off(error, this.#parts)) errors.push(error);
      }
    };
    for (const [text, prefix] of this.#there) {
      if (wanted.has(text)) continue;
      this.#there.delete(text);
      attempt(() => cards.removeRoute(this.#card, prefix));
    }
    for (const [text, prefix] of wanted) {
      if (this.#there.has(text)) continue;
      attempt(() => {
        cards.addRoute(this.#card, prefix);
        this.#there.set(text, prefix);
      });
    }
    if (errors.length > 0) throw errors[0];
  }
}
