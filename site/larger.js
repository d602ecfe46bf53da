// A garment's photo as large as the window, with what can be done about it.
import { button, element, make } from "./make.js";

const dialog = element("larger");

/** Show a result; `actions` are buttons and links, each of which closes the dialog. */
export function showLarger({ url, product }, name, actions) {
  const image = make("img", { src: url, alt: name });
  const row = make("div", { className: "actions" });
  row.append(...actions, button("button small", "Close"));
  const title = make("p", { textContent: product?.title ?? "" });
  dialog.replaceChildren(image, title, row);
  dialog.showModal();
}

dialog.addEventListener("click", ({ target }) => {
  if (target === dialog || target.closest("button, a")) dialog.close(); // the dialog itself is the ground around it
});
