// Garments that the visitor keeps, in this browser only.
const PLACE = "kept-garments";
const MOST = 200;

/** All kept garments, { key, url, product } each, the newest first. */
export function allKept() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? [];
  } catch {
    return []; // no storage in this browser, or none that this page wrote
  }
}

function isKept(key) {
  return allKept().some((each) => each.key === key);
}

function toggle({ key, url, product }) {
  const others = allKept().filter((each) => each.key !== key);
  const all = isKept(key) ? others : [{ key, url, product }, ...others].slice(0, MOST);
  try {
    localStorage.setItem(PLACE, JSON.stringify(all));
  } catch {
    return; // private windows of some browsers keep nothing
  }
  dispatchEvent(new Event("kept"));
}

/** Let a button keep a garment, and show whether it is kept. */
export function keepsOn(button, result) {
  button.dataset.keep = result.key;
  button.onclick = () => toggle(result);
  show(button);
  return button;
}

function show(button) {
  button.setAttribute("aria-pressed", isKept(button.dataset.keep));
}

addEventListener("kept", () => document.querySelectorAll("[data-keep]").forEach(show));
addEventListener("storage", () => dispatchEvent(new Event("kept"))); // another window kept something
