// What is on the screen. Nothing here talks to the service.
const PLACEHOLDERS = 16;

const element = (id) => document.getElementById(id);
const [status, problem, query, found, results] = ["status", "problem", "query", "found", "results"].map(element);
const queryImage = element("query-image");

queryImage.addEventListener("error", () => showPreview(false));
queryImage.addEventListener("load", () => showPreview(true));

/** Show what is searched for. `url` may be an object URL; it is given free when the next query comes. */
export function showQuery({ title, name, url }) {
  if (queryImage.src.startsWith("blob:")) URL.revokeObjectURL(queryImage.src);
  element("query-title").textContent = title;
  element("query-name").textContent = name;
  queryImage.alt = `${title}: ${words(name)}`;
  queryImage.src = url;
  query.hidden = false;
}

/** Show that a search is under way, in place of the results. */
export function showWaiting(message) {
  status.classList.remove("empty");
  status.textContent = message;
  problem.hidden = true;
  if (results.ariaBusy === "true") return;
  results.ariaBusy = "true";
  results.replaceChildren(...Array.from({ length: PLACEHOLDERS }, placeholder));
  found.hidden = false;
}

/** Show an answer; `onChoose` gets the result that is clicked. */
export function showResults(answer, onChoose) {
  results.ariaBusy = "false";
  results.replaceChildren(...answer.results.map((result) => card(result, onChoose)));
  found.hidden = answer.results.length === 0;
  status.textContent = summary(answer);
}

/** Show what went wrong, in words, in place of the results; with a button where trying again may help. */
export function showProblem(message, mayRetry) {
  results.ariaBusy = "false";
  results.replaceChildren();
  found.hidden = true;
  status.textContent = "";
  element("problem-text").textContent = message;
  element("retry").hidden = !mayRetry;
  problem.hidden = false;
}

function summary({ results: { length }, index }) {
  if (length === 0) return "Nothing similar in the gallery.";
  const count = index?.count;
  return `The ${length} most similar${count ? ` of ${count.toLocaleString("en")} garments` : ""}. Choose one to see what is similar to it.`;
}

function showPreview(visible) {
  queryImage.hidden = !visible;
  element("query-unseen").hidden = visible;
}

function placeholder() {
  const item = document.createElement("li");
  item.className = "placeholder";
  return item;
}

function card(result, onChoose) {
  const image = document.createElement("img");
  image.alt = `Similar to ${words(result.key)}`;
  image.decoding = "async";
  image.addEventListener("error", () => image.replaceWith(missingPhoto(result.key)));
  image.src = result.url;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "card";
  button.title = words(result.key);
  button.append(image);
  button.addEventListener("click", () => {
    onChoose(result);
    // The clicked button is gone now; without this a keyboard or screen reader user would start at the top again.
    element("found-title").focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  });

  const item = document.createElement("li");
  item.append(button);
  return item;
}

function missingPhoto(key) {
  const text = document.createElement("span");
  text.className = "unseen";
  text.textContent = `The photo of ${words(key)} is not available.`;
  return text;
}

/** "shirts/red-striped-03.jpg" -> "red striped 03" */
function words(key) {
  const name = key.slice(key.lastIndexOf("/") + 1);
  return name.replace(/\.\w+$/, "").replace(/[-_]+/g, " ");
}
