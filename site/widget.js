// <similar-garments endpoint="..." key="...">: similar garments on a product page. See docs/page.md.
import { Service } from "./api.js";
import { CARD_RULES } from "./card_rules.js";
import { card, placeholders } from "./cards.js";
import { button, iconButton, make } from "./make.js";
import { nameOf, shopLink } from "./product.js";

const UNKNOWN = /:(key|product)-unknown$/;
const RULES = `
:host { display: block; }
:host([hidden]), [hidden] { display: none; }
h2 { margin: 0 0 0.75rem; font-size: 1.1em; }
h2:focus { outline: none; }
.again { padding: 0.5em 1em; border: 1px solid currentColor; border-radius: 999px; background: none;
  color: inherit; font: inherit; cursor: pointer; }
`;

class SimilarGarments extends HTMLElement {
  static observedAttributes = ["endpoint", "key", "product", "count", "folder", "where", "group", "heading", "link"];
  #section = make("section");
  #heading = make("h2", { tabIndex: -1 });
  #list = make("ol", { className: "garments" });
  #status = make("p");
  #again = button("again", "Try again", () => this.#search());
  #nearby = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#search(), { rootMargin: "400px" });
  #running;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    addStyles(root);
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
    this.#running = undefined;
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
    const names = ["endpoint", "key", "product", "folder", "where"];
    const [endpoint, key, product, prefix, where] = names.map((name) => this.getAttribute(name) ?? "");
    if (!endpoint || !(key || product)) return; // a page's script may set them later
    this.#nearby.disconnect();
    this.#running?.abort();
    const mine = (this.#running = new AbortController());
    this.#show("loading", placeholders(this.#count));
    const by = product ? { product } : { key };
    const group = this.getAttribute("group") ?? "product";
    const parameters = { ...by, k: this.#count, prefix, where: where.split(/\s*;\s*/), group };
    try {
      const { results } = await new Service(endpoint).alike(parameters, mine);
      if (this.#running !== mine) return;
      this.#show(results.length ? "ready" : "empty", results.map((result) => this.#card(result)));
    } catch (error) {
      if (this.#running !== mine) return;
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
    const alike = make("div", { className: "card-buttons" });
    alike.append(iconButton("alike", `More like ${nameOf(result)}`, () => this.#searchBy(result.key)));
    return card(result, { href, onClick, extra: href ? [alike] : [] });
  }

  #searchBy(key) {
    this.removeAttribute("product");
    this.setAttribute("key", key);
    this.#heading.focus({ preventScroll: true }); // what had the focus is gone
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

// A shop's policy may forbid <style>; the oldest browsers have nothing else.
function addStyles(root) {
  if ("adoptedStyleSheets" in root) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CARD_RULES + RULES);
    root.adoptedStyleSheets = [sheet];
  } else {
    root.append(make("style", { textContent: CARD_RULES + RULES }));
  }
}

customElements.define("similar-garments", SimilarGarments);
