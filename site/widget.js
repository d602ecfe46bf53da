// <similar-garments endpoint="..." key="...">: similar garments on a product page. See docs/page.md.
import { Service } from "./api.js";
import { CARD_RULES } from "./card_rules.js";
import { card, placeholders } from "./cards.js";
import { make } from "./make.js";
import { shopLink } from "./product.js";
import { addStyles } from "./styles.js";

const UNKNOWN = /:(key|product)-unknown$/;
const RULES = `
:host { display: block; }
:host([hidden]), [hidden] { display: none; }
h2 { margin: 0 0 0.75rem; font-size: 1.1em; }
section > button { padding: 0.5em 1em; border: 1px solid currentColor; border-radius: 999px; background: none;
  color: inherit; font: inherit; cursor: pointer; }
`;

class SimilarGarments extends HTMLElement {
  static observedAttributes = ["endpoint", "key", "product", "count", "folder", "heading", "link"];
  #section = make("section");
  #heading = make("h2");
  #list = make("ol", { className: "garments" });
  #status = make("p");
  #again = make("button", { type: "button", textContent: "Try again", onclick: () => this.#search() });
  #nearby = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#search(), { rootMargin: "400px" });
  #running;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    addStyles(root, CARD_RULES + RULES);
    this.#status.setAttribute("role", "status");
    this.#section.append(this.#heading, this.#list, this.#status, this.#again);
    root.append(this.#section);
  }

  connectedCallback() {
    this.#await();
  }

  disconnectedCallback() {
    this.#nearby.disconnect();
    this.#running?.abort();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#await();
  }

  // Search when the element comes near the window; attributes set together cause one search.
  #await() {
    const heading = this.getAttribute("heading") ?? "Visually similar items";
    this.#heading.textContent = heading;
    this.#section.setAttribute("aria-label", heading);
    this.#show("loading", placeholders(this.#count));
    this.#nearby.disconnect();
    this.#nearby.observe(this);
  }

  async #search() {
    this.#nearby.disconnect();
    this.#running?.abort();
    const { signal } = (this.#running = new AbortController());
    this.#show("loading", placeholders(this.#count));
    const names = ["endpoint", "key", "product", "folder"];
    const [endpoint, key, product, prefix] = names.map((name) => this.getAttribute(name) ?? "");
    try {
      const options = { k: this.#count, prefix, group: "product" };
      const service = new Service(endpoint);
      const searching = product ? service.byProduct(product, options, signal) : service.byKey(key, options, signal);
      const { results } = await searching;
      if (signal.aborted) return;
      this.#show(results.length ? "ready" : "empty", results.map((result) => this.#card(result)));
    } catch (error) {
      if (signal.aborted) return;
      // A product newer than the index is not an error for customers.
      if (UNKNOWN.test(error.type)) this.#show("empty", []);
      else this.#show("error", [], error.message);
    }
  }

  #card(result) {
    const href = shopLink(result, this.getAttribute("link"));
    const onClick = (event) => {
      const choice = new CustomEvent("choose", { detail: result, bubbles: true, composed: true, cancelable: true });
      if (!this.dispatchEvent(choice)) event.preventDefault();
      else if (!href) this.#searchBy(result.key);
    };
    return card(result, { href, onClick });
  }

  #searchBy(key) {
    this.removeAttribute("product");
    this.setAttribute("key", key);
  }

  #show(state, items, message = state === "empty" ? "There are no similar items." : "") {
    this.setAttribute("state", state);
    this.#section.setAttribute("aria-busy", state === "loading");
    this.#list.replaceChildren(...items);
    this.#list.hidden = items.length === 0;
    this.#status.textContent = message;
    this.#again.hidden = state !== "error";
  }

  get #count() {
    return Math.min(Math.max(parseInt(this.getAttribute("count"), 10) || 8, 1), 100);
  }
}

customElements.define("similar-garments", SimilarGarments);
