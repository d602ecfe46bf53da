// The box that marks a garment on a photo; mouse, touch and keyboard move and resize it.

export const WHOLE = { x: 0, y: 0, w: 1, h: 1 };

const FIRST = { x: 0.2, y: 0.15, w: 0.6, h: 0.7 };
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
  #frame;
  #said;
  #onChange;
  #box = null;
  #pause;

  /** `onChange` gets the new box, { x, y, w, h } as fractions of `frame`'s parent, or null. */
  constructor(frame, said, onChange) {
    this.#frame = frame;
    this.#said = said;
    this.#onChange = onChange;
    for (const [grip, label] of Object.entries(GRIPS)) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.dataset.grip = grip;
      button.setAttribute("aria-label", label);
      frame.append(button);
    }
    frame.addEventListener("pointerdown", (event) => this.#drag(event));
    frame.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Show a box, or none (null), without calling `onChange`. */
  show(box) {
    clearTimeout(this.#pause);
    this.#box = box;
    this.#frame.hidden = !box;
    this.#said.textContent = "";
    if (!box) return;
    const percent = (part) => `${(100 * part).toFixed(2)}%`;
    Object.assign(this.#frame.style, {
      left: percent(box.x), top: percent(box.y), width: percent(box.w), height: percent(box.h),
    });
  }

  begin() {
    this.#settle(FIRST);
    this.#frame.querySelector("button").focus();
  }

  remove() {
    this.#settle(null);
  }

  #settle(box) {
    this.show(box);
    this.#onChange(box);
  }

  #drag(down) {
    if (down.button !== 0) return;
    const before = this.#box;
    const start = this.#point(down);
    const over = new AbortController();
    const listen = (type, listener) => down.target.addEventListener(type, listener, { signal: over.signal });
    down.target.setPointerCapture(down.pointerId);
    listen("pointermove", (event) => {
      const to = this.#point(event);
      this.show(pulled(before, down.target.dataset.grip, to.x - start.x, to.y - start.y));
    });
    listen("pointercancel", () => {
      over.abort();
      this.show(before);
    });
    listen("pointerup", () => {
      over.abort();
      if (this.#box !== before) this.#onChange(this.#box);
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
    this.#said.textContent = inWords(box);
    this.#pause = setTimeout(() => this.#onChange(box), PAUSE_MS);
  }

  #point({ clientX, clientY }) {
    const { width, height } = this.#frame.parentElement.getBoundingClientRect();
    return { x: clientX / width, y: clientY / height };
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

function inWords({ x, y, w, h }) {
  const percent = (part) => Math.round(100 * part);
  return `Box from ${percent(x)} to ${percent(x + w)} percent across, ${percent(y)} to ${percent(y + h)} percent down.`;
}

function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
