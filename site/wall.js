// The start: a wall of the gallery's photos, in batches of a random one and unlike ones.
import { card, placeholders } from "./cards.js";
import { whenNear } from "./make.js";

const BATCH = 24;
const BATCHES = 8;
// Within a batch, no two photos are as similar as this.
const UNLIKE = 0.75;

/** Fill `list` now, and with another batch whenever `more` comes near the window or is pressed. */
export class Wall {
  #seen = new Set();
  #batches = 0;
  #running;

  /** `linkOf` returns a card's href and onClick; `onFail` gets an error of the first batch. */
  constructor(service, list, more, { linkOf, onFail }) {
    Object.assign(this, { service, list, more, linkOf, onFail });
    more.addEventListener("click", () => this.fill());
    whenNear(more, () => this.#batches && this.fill());
  }

  async fill() {
    if (this.#running || this.#batches >= BATCHES) return;
    this.#running = true;
    this.list.append(...placeholders(BATCH));
    try {
      const options = { k: BATCH - 1, dedupe: UNLIKE, group: "product" };
      const { query, results } = await this.service.atRandom(options);
      const fresh = [query, ...results].filter(({ key }) => key && !this.#seen.has(key));
      for (const { key } of fresh) this.#seen.add(key);
      this.list.append(...fresh.map((result) => card({ ...result, product: undefined }, this.linkOf(result))));
      // A gallery that has shown all it has would repeat itself.
      this.#batches = fresh.length > BATCH / 4 ? this.#batches + 1 : BATCHES;
      this.more.hidden = this.#batches >= BATCHES;
    } catch (error) {
      this.more.hidden = true;
      if (!this.#seen.size) this.onFail(error);
    } finally {
      for (const place of this.list.querySelectorAll(".placeholder")) place.remove();
      this.#running = false;
    }
  }
}
