// Show views, results and messages.
import { PAGE_SIZE } from "./api.js";
import { CARD_RULES } from "./card_rules.js";
import { card, placeholders } from "./cards.js";
import { wordsOf } from "./filters.js";
import { element } from "./make.js";
import { nameOf } from "./product.js";
import { DEVELOPER } from "./settings.js";

const [start, query, found, kept] = ["start", "query", "found", "kept"].map(element);
const [results, problem] = ["results", "problem"].map(element);
const [stage, queryImage, larger] = ["stage", "query-image", "larger"].map(element);

const HIGHEST = 3 / 4; // higher photos are narrower
const TITLE = document.title;

// The page's policy allows no <style>.
const [sheet] = document.styleSheets;
for (const rule of CARD_RULES.trim().split(/\n(?=\S)/)) sheet.insertRule(rule, sheet.cssRules.length);
larger.addEventListener("click", ({ target }) => {
  if (target === larger || target.closest("button, a")) larger.close(); // the dialog itself is the ground around it
});
queryImage.addEventListener("error", () => showPreview(false));
queryImage.addEventListener("load", () => {
  showPreview(true);
  shapeStage(queryImage.naturalWidth / queryImage.naturalHeight);
});

export function showStart(message = "") {
  showOnly(start);
  document.title = TITLE;
  settle(message);
}

/** Show a card as large as the window; what is chosen on it closes it. */
export function showLarger(card) {
  larger.firstElementChild.replaceChildren(card);
  larger.showModal();
}

export function showKept() {
  showOnly(kept);
  document.title = element("kept-title").textContent;
  settle("");
}

function showOnly(...sections) {
  for (const section of [start, query, found, kept, problem]) section.hidden = !sections.includes(section);
  document.documentElement.classList.toggle("at-start", sections.includes(start));
}

/** Show what the search is for: the visitor's photo (open or not yet), or a garment of the gallery. */
export function showQuery({ file, photo, key, url, product, words, random }) {
  showOnly(query, found);
  const wordsAlone = Boolean(words && !file && !key && !random);
  query.classList.toggle("words-alone", wordsAlone);
  const title = file ? "Your photo" : key ? "Similar to" : "Random garment";
  element("query-title").textContent = title;
  element("query-name").textContent = DEVELOPER ? (file?.name ?? key ?? "") : (product?.title ?? "");
  document.title = key ? `Similar to ${nameOf({ key, product })}` : wordsAlone ? words : TITLE;
  queryImage.alt = file ? title : key ? nameOf({ key, product }) : "";
  element("marking").hidden = !photo;
  stage.classList.toggle("drawable", Boolean(photo));
  const source = photo?.url ?? url;
  element("query-unseen").hidden = true;
  queryImage.hidden = !source;
  if (source && queryImage.getAttribute("src") === source) return;
  shapeStage(photo?.aspect ?? HIGHEST);
  if (source) queryImage.src = source;
  else queryImage.removeAttribute("src");
}

function shapeStage(aspect) {
  Object.assign(stage.style, { width: `${100 * Math.min(1, aspect / HIGHEST)}%`, aspectRatio: aspect });
}

export function showMarked(marked) {
  element("mark").textContent = marked ? "Use the whole photo" : "Mark the garment";
}

/** Show that a search is running; `kept` results stay on the screen. */
export function showWaiting(kept) {
  settle("Searching…");
  element("cancel").hidden = false;
  element("empty").hidden = element("hint").hidden = true;
  showOnly(query, found);
  found.setAttribute("aria-busy", "true");
  cut(kept);
  results.append(...placeholders(PAGE_SIZE));
}

/** Show that a search takes its time; `asleep` says whether the service may have to start first. */
export function showSlow(asleep) {
  if (asleep) say("The search service is waking up…");
  element("waiting").hidden = false;
}

/**
 * Show results, the first `kept` of them already there. `partsOf` returns what `card` needs of each; `more` says whether
 * there may be others, `unlike` whether the best is not very similar, `focus` whether the first new one gets the focus.
 */
export function showResults({ results: garments, index, filters, words, query }, { kept, partsOf, more, unlike, focus, note = "" }) {
  cut(kept);
  results.append(...garments.slice(kept).map((result) => card(result, partsOf(result))));
  if (focus) (kept ? results.children[kept]?.firstElementChild : element("found-title"))?.focus({ preventScroll: true });
  problem.hidden = true;
  element("empty").hidden = garments.length > 0;
  showWhyEmpty(filters, words);
  element("hint").hidden = !unlike;
  const unknown = query?.words?.unknown.map((word) => `“${word}”`).join(", ");
  settle((unknown ? `Not understood: ${unknown}. ` : "") + note + summary(garments.length, index, filters.length));
  element("more").hidden = !more;
}

// The filter chosen last has left nothing.
function showWhyEmpty(filters, words) {
  const last = filters[filters.length - 1];
  const values = filters.filter(({ column }) => column === last.column).map(wordsOf).join(" or ");
  const unfiltered = words ? `Nothing here is like “${words}”.` : "The gallery is empty.";
  element("empty").firstElementChild.textContent = last ? `Nothing is left with “${values}”.` : unfiltered;
  element("less").hidden = !last;
}

/** Show what went wrong: below `kept` results, or in place of them; `unseen` if the photo could not be opened. */
export function showProblem(message, { mayRetry, kept, unseen }) {
  cut(kept);
  settle("");
  if (kept) found.append(problem);
  else query.before(problem);
  showOnly(problem, ...(kept ? [found] : []), ...(unseen || queryImage.hidden ? [] : [query]));
  element("problem-text").textContent = message;
  element("retry").hidden = !mayRetry;
}

/** Move the focus to the top of what is shown, because what had it is gone. */
export function goTo(id) {
  element(id).focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

export function say(message) {
  element("status").textContent = message;
}

function cut(kept) {
  [...results.children].slice(kept).forEach((item) => item.remove());
}

function settle(message) {
  say(message);
  for (const id of ["cancel", "waiting", "more"]) element(id).hidden = true;
  found.setAttribute("aria-busy", "false");
}

function summary(shown, index, filtered) {
  if (shown === 0) return "Nothing found.";
  const of = filtered ? " with these filters" : index?.count ? ` of ${index.count.toLocaleString("en")} garments` : "";
  return `The ${shown === 1 ? "" : `${shown} `}most similar${of}.`;
}

function showPreview(visible) {
  queryImage.hidden = !visible;
  element("query-unseen").hidden = visible;
}
