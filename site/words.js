// The line to describe a garment in words, or what should be different from the one that is searched by.
import { element } from "./make.js";

const form = element("words");
const [field] = form.elements;

/** Offer it where the model can be asked in words: the index then has columns of what the model sees. */
export function offerWords(columns) {
  form.hidden = !columns.some(({ name }) => name.startsWith("seen."));
  form.classList.remove("unknown");
}

/** Show the words of a search; `changes`: they change what a photo or garment finds. */
export function showWords(words = "", changes) {
  field.value = words;
  field.placeholder = changes ? "The same, but: in blue" : "Describe it: red checked shirt";
}

export function takeWords(onWords) {
  form.onsubmit = (event) => {
    event.preventDefault();
    onWords(field.value.trim() || undefined);
  };
}
