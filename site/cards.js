// A grid of garments, shared by the page and the widget.
import { make } from "./make.js";
import { amount, nameOf } from "./product.js";

// A photo this close to the shape of its place fills it; any other shows its own shape.
const NEAR = 0.06;

/**
 * A result as a list item: a link if `href` is given, otherwise a button. `note` is a line below, and `extra` are elements
 * beside it. `result.renewed` may return the promise of a new address of a photo whose address has expired.
 */
export function card(result, { href, elsewhere, onClick, note, extra = [] }) {
  const target = make(href ? "a" : "button", {
    ...(href ? { href } : { type: "button" }),
    ...(elsewhere && { target: "_blank", rel: "noopener" }), // a visitor's own photo would be gone on the way back
    className: "card",
    draggable: false,
    onclick: onClick,
  });
  target.append(photo(result), ...about(result.product, note));
  if (!result.product?.title) target.setAttribute("aria-label", nameOf(result));
  const item = make("li", { className: "garment" });
  item.append(target, ...extra);
  return item;
}

// A photo in its own shape, at the bottom of a place that does not change when it arrives.
function photo({ url, renewed }) {
  const place = make("span", { className: "photo waiting" });
  const image = make("img", {
    alt: "",
    draggable: false,
    loading: "lazy", // has no effect after src
    onload() {
      const own = image.naturalWidth / image.naturalHeight;
      const given = place.clientWidth / place.clientHeight;
      place.style.setProperty("--own", own);
      image.classList.add("loaded");
      image.classList.toggle("fits", Math.abs(own / given - 1) < NEAR);
      place.classList.remove("waiting");
    },
    onerror() {
      const again = renewed;
      renewed = undefined;
      if (again) return again().then((fresh) => (image.src = fresh), image.onerror);
      image.replaceWith(make("span", { className: "unseen", textContent: "This photo is not available." }));
      place.classList.remove("waiting");
    },
    src: url,
  });
  place.append(image);
  return place;
}

function about(product, note) {
  if (!product && !note) return [];
  const { brand, title, price, sale_price, availability } = product ?? {};
  const block = make("span", { className: "about" });
  const line = (className, textContent) => textContent && block.append(make("span", { className, textContent }));
  line("brand", [brand].flat().join(", "));
  line("title", title);
  if (price ?? sale_price) {
    const shown = make("span", { className: "price", textContent: amount(sale_price ?? price) });
    if (sale_price && price) shown.append(make("s", { textContent: amount(price) }));
    block.append(shown);
  }
  if (availability === "out_of_stock") line("note", "Sold out");
  line("note", note);
  return [block];
}

export function placeholders(count) {
  return Array.from({ length: count }, () => {
    const item = make("li", { className: "garment placeholder" });
    item.setAttribute("aria-hidden", "true"); // the property is too young for some browsers
    item.append(make("span", { className: "photo waiting" }));
    return item;
  });
}
