// Show views, results and messages.
import { PAGE_SIZE } from "./api.js";
import { card, CARD_RULES, placeholders, words } from "./cards.js";
import { addStyles } from "./styles.js";

const element = (id) => document.getElementById(id);
const [start, query, found, results, problem] = ["start", "query", "found", "results", "problem"].map(element);
const [stage, queryImage, folderChoice] = ["stage", "query-image", "folder"].map(element);

const FRAME_ASPECT = 3 / 4; // as of .frame in style.css
const TITLE = document.title;

addStyles(document, CARD_RULES);
queryImage.addEventListener("error", () => showPreview(false));
queryImage.addEventListener("load", () => showPreview(true));

/** Show the page as before the first search. */
export function showStart(message = "") {
  query.hidden = found.hidden = problem.hidden = true;
  start.hidden = false;
  document.title = TITLE;
  settle(message);
}

/** Show what the search is for: the visitor's photo (open or not yet), or a garment of the gallery. */
export function showQuery({ file, photo, key, url }) {
  start.hidden = true;
  query.hidden = found.hidden = false;
  const name = file?.name ?? key ?? "";
  const title = file ? "Your photo" : key ? "Similar to" : "Random garment";
  element("query-title").textContent = title;
  element("query-name").textContent = name;
  document.title = key ? `Similar to ${words(key)}` : TITLE;
  queryImage.alt = `${title}: ${words(name)}`;
  // The stage has the photo's shape, so that the box can be in fractions of it.
  const aspect = photo?.aspect ?? FRAME_ASPECT;
  stage.style.width = `${100 * Math.min(1, aspect / FRAME_ASPECT)}%`;
  stage.style.height = `${100 * Math.min(1, FRAME_ASPECT / aspect)}%`;
  element("mark").hidden = !photo;
  const source = photo?.url ?? url;
  element("query-unseen").hidden = true;
  if (!source) queryImage.removeAttribute("src");
  else if (queryImage.getAttribute("src") !== source) queryImage.src = source;
  queryImage.hidden = !source;
}

export function showMarked(marked) {
  element("mark").textContent = marked ? "Use the whole photo" : "Mark the garment";
}

/** Show that a search is running; `kept` results stay on the screen. */
export function showWaiting(kept) {
  settle("Searching…");
  element("cancel").hidden = false;
  element("empty").hidden = element("hint").hidden = problem.hidden = true;
  query.hidden = found.hidden = false;
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
 * Show results, the first `kept` of them already there. `cardOf` returns a card's href and onClick; `more` says
 * whether there may be further results, `unlike` whether even the best one is not very similar.
 */
export function showResults({ results: garments, index, folder }, { kept, cardOf, more, unlike, note = "" }) {
  cut(kept);
  results.append(...garments.slice(kept).map((result) => card(result, cardOf(result))));
  if (kept) results.children[kept]?.firstElementChild.focus({ preventScroll: true });
  problem.hidden = true;
  element("empty").hidden = garments.length > 0;
  element("everywhere").hidden = !folder;
  element("empty").firstElementChild.textContent = folder ? `There is nothing in ${folder}.` : "The gallery is empty.";
  element("hint").hidden = !unlike;
  settle(note + summary(garments.length, index, folder));
  element("more").hidden = !more;
}

/** Show what went wrong: below `kept` results, or in place of them; `unseen` if the photo could not be opened. */
export function showProblem(message, { mayRetry, kept, unseen }) {
  cut(kept);
  settle("");
  if (kept) found.append(problem);
  else query.before(problem);
  found.hidden = !kept;
  query.hidden = Boolean(unseen) || queryImage.hidden;
  element("problem-text").textContent = message;
  element("retry").hidden = !mayRetry;
  problem.hidden = false;
}

/** Offer the service's folders, `{ name, count }` each. */
export function showFolders(folders, chosen) {
  const names = folders.map(({ name }) => name);
  if (chosen && !names.includes(chosen)) names.push(chosen); // a folder in a folder, from an address
  folderChoice.replaceChildren(new Option("All folders", ""), ...names.map((name) => new Option(name)));
  folderChoice.value = chosen;
  folderChoice.hidden = names.length === 0;
}

/** Move the focus to the results, because the chosen card is gone. */
export function goToResults() {
  element("found-title").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Tell visitors something, in the line above the photo. */
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

function summary(shown, index, folder) {
  if (shown === 0) return "Nothing found.";
  const of = folder ? ` in ${folder}` : index?.count ? ` of ${index.count.toLocaleString("en")} garments` : "";
  return `The ${shown === 1 ? "" : `${shown} `}most similar${of}.`;
}

function showPreview(visible) {
  queryImage.hidden = !visible;
  element("query-unseen").hidden = visible;
}
