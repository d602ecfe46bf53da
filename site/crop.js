// The box that marks a garment on a photo; mouse and finger draw it, and they and the keyboard move and resize it.
import { button } from "./make.js";

export const WHOLE = { x: 0, y: 0, w: 1, h: 1 };

// For the keyboard: nearly everything, and no guess.
const FIRST = { x: 0.05, y: 0.05, w: 0.9, h: 0.9 };
const LEAST = 0.08; // the smallest width and height, as fractions of the photo's
const STEP = 0.02;
const BIG_STEP = 0.1;
const PAUSE_MS = 400; // between the last key and the search
const GRIPS = {
  all: "Move the box with the arrow keys",
  nw: "Resize from the top left",
  ne: "Resize from the top right",
  sw: "Resize from the bottom left",
  se: "Resize from the bottom right",
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class CropBox {
  #box;
  #pause;

  /** Draw on `frame`'s parent. `onChange` gets the new box, { x, y, w, h } in fractions of it, or nothing. */
  constructor(frame, said, onChange) {
    Object.assign(this, { frame, said, onChange });
    for (const [grip, label] of Object.entries(GRIPS)) {
      const made = button("", "");
      made.dataset.grip = grip;
      made.setAttribute("aria-label", label);
      frame.append(made);
    }
    frame.parentElement.addEventListener("pointerdown", (event) => this.#drag(event));
    frame.addEventListener("keydown", (event) => this.#press(event));
  }

  get isShown() {
    return Boolean(this.#box);
  }

  /** Show a box, or none, without calling `onChange`. */
  show(box) {
    clearTimeout(this.#pause);
    this.#box = box;
    this.frame.hidden = !box;
    this.said.textContent = "";
    if (!box) return;
    const percent = (part) => `${(100 * part).toFixed(2)}%`;
    Object.assign(this.frame.style, {
      left: percent(box.x), top: percent(box.y), width: percent(box.w), height: percent(box.h),
    });
  }

  /** Show a box for the keyboard to pull. */
  begin() {
    this.show(FIRST);
    this.frame.querySelector("button").focus();
  }

  remove() {
    this.show();
    this.onChange();
  }

  // Pull a grip, or draw a new box.
  #drag(down) {
    if (down.button !== 0 || !down.target.closest(".drawable")) return;
    const { grip } = down.target.dataset;
    const before = this.#box;
    const start = this.#point(down);
    const over = new AbortController();
    const listen = (type, listener) => down.target.addEventListener(type, listener, { signal: over.signal });
    down.target.setPointerCapture(down.pointerId);
    listen("pointermove", (event) => {
      const to = this.#point(event);
      const [right, below] = [to.x - start.x, to.y - start.y];
      if (grip) this.show(pulled(before, grip, right, below));
      else if (Math.min(Math.abs(right), Math.abs(below)) >= LEAST) this.show(between(start, to));
    });
    listen("pointercancel", () => {
      over.abort();
      this.show(before);
    });
    listen("pointerup", () => {
      over.abort();
      if (this.#box !== before) this.onChange(this.#box);
    });
  }

  #press(event) {
    if (event.key === "Escape" || event.key === "Delete") return this.remove();
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault(); // or the page would scroll
    const step = event.shiftKey ? BIG_STEP : STEP;
    const box = pulled(this.#box, event.target.dataset.grip, arrow[0] * step, arrow[1] * step);
    this.show(box);
    this.said.textContent = inWords(box);
    this.#pause = setTimeout(() => this.onChange(box), PAUSE_MS);
  }

  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.frame.parentElement.getBoundingClientRect();
    return { x: clamp((clientX - left) / width, 0, 1), y: clamp((clientY - top) / height, 0, 1) };
  }
}

// Move the edges that the grip names, but keep them inside the photo and apart.
function pulled({ x, y, w, h }, grip, dx, dy) {
  if (grip === "all") return { x: clamp(x + dx, 0, 1 - w), y: clamp(y + dy, 0, 1 - h), w, h };
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (grip.includes("w")) left = clamp(left + dx, 0, right - LEAST);
  if (grip.includes("e")) right = clamp(right + dx, left + LEAST, 1);
  if (grip.includes("n")) top = clamp(top + dy, 0, bottom - LEAST);
  if (grip.includes("s")) bottom = clamp(bottom + dy, top + LEAST, 1);
  return { x: left, y: top, w: right - left, h: bottom - top };
}

function between(one, other) {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return { x, y, w: Math.abs(one.x - other.x), h: Math.abs(one.y - other.y) };
}

function inWords({ x, y, w, h }) {
  const percent = (part) => Math.round(100 * part);
  return `Box from ${percent(x)} to ${percent(x + w)} percent across, ${percent(y)} to ${percent(y + h)} percent down.`;
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
