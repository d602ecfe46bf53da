// What a result says of its product: words, price, address.

/** The address of a product's page: the feed's, if it is one (a feed may say anything), or else by a template. */
export function shopLink({ key, product }, template) {
  const parts = { "{key}": key, "{name}": fileName(key) };
  const own = template?.replace(/\{key\}|\{name\}/g, (part) => encodeURIComponent(parts[part]));
  if (own) return own;
  try {
    const { protocol } = new URL(product?.link);
    return /^https?:$/.test(protocol) ? product.link : undefined;
  } catch {
    return undefined; // no address at all
  }
}

/** "€39.00" */
export function amount({ value, currency }) {
  try {
    return new Intl.NumberFormat(document.documentElement.lang || "en", { style: "currency", currency }).format(value);
  } catch {
    return `${value} ${currency}`;
  }
}

/** What a screen reader says of a result: the title, or the file's name if it consists of words. */
export function nameOf({ key, product }) {
  if (product?.title) return product.title;
  const words = fileName(key ?? "").replace(/[-_]+/g, " ");
  return /^[\p{L} ]{3,}\d{0,3}$/u.test(words) ? words : "a garment";
}

/** "shirts/red-striped-03.jpg" -> "red-striped-03" */
function fileName(key) {
  return key.slice(key.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
}
