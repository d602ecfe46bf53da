// The steps that led to a view, as crumbs with pictures: a photo, a part of it, words, a garment, filters.
import { wordsOf } from "./filters.js";
import { button, element, make } from "./make.js";
import { nameOf } from "./product.js";

const trail = element("trail");
const list = trail.firstElementChild;

function stepsTo(view) {
  return view ? [...stepsTo(view.parent), view] : [];
}

const sameSubject = (one, other) => one.file === other.file && one.key === other.key;
const sameFilters = (one, other) => JSON.stringify(one.filters) === JSON.stringify(other.filters);

/** Whether two views search by the same thing, in the same words, with the same filters. */
export function isSame(one, other) {
  return sameSubject(one, other) && one.box === other.box && one.words === other.words && sameFilters(one, other);
}

/** The last step to `view` that `next` narrows, by a box, words or filters, or that is the same. */
export function stepBefore(view, next) {
  const isWider = (step) => ["box", "words"].every((name) => !step[name] || step[name] === next[name]);
  const isLooser = (step) => !step.filters.length || sameFilters(step, next);
  return stepsTo(view).filter((step) => sameSubject(step, next) && isWider(step) && isLooser(step)).pop();
}

/** Show the steps to a view; `onChoose` gets the view of an earlier one. */
export function showTrail(view, onChoose) {
  const steps = stepsTo(view);
  trail.hidden = steps.length < 2;
  list.replaceChildren(
    ...steps.map((step) => {
      const crumb = button("button small crumb", "", () => onChoose(step));
      if (step === view) crumb.setAttribute("aria-current", "step");
      crumb.append(pictureOf(step), make("span", { textContent: title(step) }));
      const item = make("li");
      item.append(crumb);
      return item;
    }),
  );
  list.scrollLeft = list.scrollWidth;
}

function title({ parent, ...view }) {
  const { file, box, words, filters } = view;
  if (parent && isSame({ ...view, filters: parent.filters }, parent)) return filters.map(wordsOf).join(", ");
  if (words && words !== parent?.words) return words;
  if (box) return "A part of it";
  return file ? "Your photo" : nameOf(view);
}

function pictureOf({ photo, url, box }) {
  const picture = make("span", { className: "picture" });
  const source = photo?.url ?? url;
  picture.hidden = !source; // words alone
  if (source) picture.style.backgroundImage = `url(${JSON.stringify(source)})`;
  if (!box) return picture;
  // The photo is so large and lies so that the box fills the picture.
  const place = (start, length) => `${length < 1 ? (100 * start) / (1 - length) : 0}%`;
  Object.assign(picture.style, {
    aspectRatio: (photo.aspect * box.w) / box.h,
    backgroundSize: `${100 / box.w}% ${100 / box.h}%`,
    backgroundPosition: `${place(box.x, box.w)} ${place(box.y, box.h)}`,
  });
  return picture;
}
