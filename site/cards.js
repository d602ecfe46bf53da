// A grid of garments, shared by the page and the widget.

/** A page sets its own colours by the variables. */
export const CARD_RULES = `
.garments { display: grid; grid-template-columns: repeat(auto-fill, minmax(max(8rem, 21%), 1fr));
  gap: clamp(0.6rem, 1.5vw, 1.1rem); margin: 0; padding: 0; list-style: none; }
.card, .placeholder { position: relative; display: block; box-sizing: border-box; width: 100%; aspect-ratio: 3 / 4;
  padding: 0; overflow: hidden; border: 1px solid var(--garment-line, #8884);
  border-radius: var(--garment-radius, 12px); background: var(--garment-photo, #fff);
  color: #59606a; font: inherit; text-align: center; text-decoration: none; cursor: pointer; }
.card { transition: transform 0.15s, box-shadow 0.15s; }
.card:hover { box-shadow: 0 6px 20px rgb(0 0 0 / 0.16); transform: translateY(-2px); }
.card:focus-visible { outline: 3px solid var(--garment-accent, currentColor); outline-offset: 2px; }
.card img { display: block; width: 100%; height: 100%; object-fit: contain; opacity: 0; transition: opacity 0.25s; }
.card img.loaded { opacity: 1; }
.unseen { position: absolute; inset: 0; display: grid; place-items: center; padding: 1rem; font-size: 0.875rem;
  overflow-wrap: anywhere; text-align: center; }
.score { position: absolute; right: 0.4rem; bottom: 0.4rem; padding: 0 0.4em; border-radius: 0.5em;
  background: rgb(255 255 255 / 0.88); font-size: 0.75rem; font-variant-numeric: tabular-nums; }
.product { margin: 0.4rem 0 0; font-size: 0.875rem; line-height: 1.35; overflow-wrap: anywhere; }
.product a { color: inherit; }
.product .price { display: block; font-variant-numeric: tabular-nums; }
.placeholder { background: #8882; cursor: default; animation: breathe 1.4s ease-in-out infinite alternate; }
@keyframes breathe { to { opacity: 0.4; } }
@media (prefers-reduced-motion: reduce) {
  .card, .card img, .placeholder { animation: none; transition: none; } .card:hover { transform: none; } }
`;

/**
 * A result as a list item: a link if `href` is given, otherwise a button; below it its product, if there is one. A
 * product's title leads to its page in the shop.
 */
export function card({ key, url, score, product }, { href, onClick }) {
  const name = product?.title ?? words(key);
  const target = make(href ? "a" : "button", {
    ...(href ? { href } : { type: "button" }),
    className: "card",
    draggable: false,
    title: name,
    onclick: onClick,
  });
  target.setAttribute("aria-label", `Similar to ${name}, score ${score.toFixed(2)}`);
  const image = make("img", {
    alt: "",
    draggable: false,
    loading: "lazy", // has no effect after src
    onload: () => image.classList.add("loaded"),
    onerror: () => image.replaceWith(missing(key)),
    src: url,
  });
  target.append(image, make("span", { className: "score", textContent: score.toFixed(2) }));
  const item = make("li");
  item.append(target, ...(product ? [about(product)] : []));
  return item;
}

/** The address of a product's page, if it is one: a feed may say anything. */
export function shopLink(product) {
  const link = product?.link;
  try {
    return /^https?:$/.test(new URL(link).protocol) ? link : undefined;
  } catch {
    return undefined; // no address at all
  }
}

function about({ id, title = id, price, sale_price = price, ...product }) {
  const text = make("p", { className: "product" });
  const href = shopLink(product);
  text.append(make(href ? "a" : "span", { ...(href && { href }), textContent: title }));
  if (sale_price) text.append(make("span", { className: "price", textContent: amount(sale_price) }));
  return text;
}

function amount({ value, currency }) {
  try {
    return new Intl.NumberFormat(document.documentElement.lang || "en", { style: "currency", currency }).format(value);
  } catch {
    return `${value} ${currency}`;
  }
}

/** List items that hold the place of cards to come. */
export function placeholders(count) {
  return Array.from({ length: count }, () => {
    const item = make("li", { className: "placeholder" });
    item.setAttribute("aria-hidden", "true"); // the property is too young for some browsers
    return item;
  });
}

export function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

/** "shirts/red-striped-03.jpg" -> "red striped 03" */
export function words(key) {
  return fileName(key).replace(/[-_]+/g, " ");
}

/** "shirts/red-striped-03.jpg" -> "red-striped-03" */
export function fileName(key) {
  return key.slice(key.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
}

function missing(key) {
  return make("span", { className: "unseen", textContent: `The photo of ${words(key)} is not available.` });
}
