// Garments in a grid: shared by the page and the widget, which brings the style into its shadow root.

/** The variables let a page have its own colours. */
export const cardStyles = new CSSStyleSheet();
cardStyles.replaceSync(`
  .garments { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: clamp(0.6rem, 2.5cqi, 1.1rem);
    margin: 0; padding: 0; list-style: none; }
  @container (min-width: 30rem) { .garments { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
  .card, .placeholder { position: relative; display: block; box-sizing: border-box; width: 100%; aspect-ratio: 3 / 4;
    padding: 0; overflow: hidden; border: 1px solid var(--garment-line, #8884);
    border-radius: var(--garment-radius, 12px); background: var(--garment-photo, #fff);
    color: #59606a; font: inherit; text-align: center; text-decoration: none; cursor: pointer; }
  .card { transition: transform 0.15s, box-shadow 0.15s; }
  .card:hover { box-shadow: 0 6px 20px rgb(0 0 0 / 0.16); transform: translateY(-2px); }
  .card:focus-visible { outline: 3px solid var(--garment-accent, currentColor); outline-offset: 2px; }
  .card img { display: block; width: 100%; height: 100%; object-fit: contain; opacity: 0; transition: opacity 0.25s; }
  .card img.loaded { opacity: 1; }
  .unseen { position: absolute; inset: 0; display: grid; place-items: center; padding: 1rem; color: #59606a;
    font-size: 0.875rem; overflow-wrap: anywhere; text-align: center; }
  .score { position: absolute; right: 0.4rem; bottom: 0.4rem; padding: 0 0.4em; border-radius: 0.5em;
    background: rgb(255 255 255 / 0.88); color: #59606a; font-size: 0.75rem; font-variant-numeric: tabular-nums; }
  .placeholder { background: #8882; cursor: default;
    animation: breathe 1.4s ease-in-out infinite alternate; }
  @keyframes breathe { to { opacity: 0.4; } }
  @media (prefers-reduced-motion: reduce) {
    .card, .card img, .placeholder { animation: none; transition: none; } .card:hover { transform: none; } }
`);

/** A result as a list item: a link where `href` is given, else a button. */
export function card({ key, url, score }, { href, onClick }) {
  const target = document.createElement(href ? "a" : "button");
  if (href) target.href = href;
  else target.type = "button";
  target.className = "card";
  target.draggable = false;
  target.title = words(key);
  target.ariaLabel = `Similar to ${words(key)}, score ${score.toFixed(2)}`;
  target.addEventListener("click", onClick);

  const image = document.createElement("img");
  image.alt = "";
  image.draggable = false;
  image.loading = "lazy"; // before src, or it is too late
  image.addEventListener("load", () => image.classList.add("loaded"));
  image.addEventListener("error", () => image.replaceWith(missing(key)));
  image.src = url;

  const badge = document.createElement("span");
  badge.className = "score";
  badge.textContent = score.toFixed(2);
  target.append(image, badge);
  const item = document.createElement("li");
  item.append(target);
  return item;
}

/** As many list items in the place of cards to come. */
export function placeholders(count) {
  return Array.from({ length: count }, () => {
    const item = document.createElement("li");
    item.className = "placeholder";
    item.ariaHidden = "true";
    return item;
  });
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
  const text = document.createElement("span");
  text.className = "unseen";
  text.textContent = `The photo of ${words(key)} is not available.`;
  return text;
}
