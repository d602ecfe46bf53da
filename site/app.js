// The page's behaviour. Each search is a view: it has an entry in the browser's history and stays in memory.
import { MAX_DEPTH, PAGE_SIZE, Service, ServiceError } from "./api.js";
import { card } from "./cards.js";
import * as config from "./config.js";
import { CropBox } from "./crop.js";
import { columnsToCount, showFilters } from "./filters.js";
import { allKept, keepsOn } from "./kept.js";
import { button, element, iconButton, make, whenNear } from "./make.js";
import { PhotoError } from "./photo.js";
import { takePhotos } from "./photo_input.js";
import { nameOf, shopLink } from "./product.js";
import * as screen from "./screen.js";
import { gather } from "./search.js";
import { DEVELOPER, MIN_SCORE, PRODUCT_LINK } from "./settings.js";
import { isSame, showTrail, stepBefore } from "./trail.js";
import { addressOf, readAddress } from "./url_state.js";
import { Wall } from "./wall.js";
import { offerWords, showWords, takeWords } from "./words.js";

const SLOW_MS = 500;
// An idle service takes seconds to start. One that has answered lately does not.
const AWAKE_MS = 240_000;

const service = new Service(config.SERVICE_URL);
const views = new Map(); // by the id in history.state: { file | key | words | random | kept, box, filters, parent, ... }
let gallery = { folders: [], columns: [] }; // what the service says of it
let asked; // the promise of that
let view; // the one on the screen
let running; // the AbortController of the search under way
let waitsForNetwork = false;
let awakeUntil = 0;

const onClick = (id, listener) => element(id).addEventListener("click", listener);

const crop = new CropBox(element("crop"), element("crop-said"), (box) => {
  if (!box) {
    screen.showMarked(false);
    element("mark").focus(); // its grips, one of which may have the focus, are gone
  }
  if (!box !== !view.box) return narrow({ box });
  if (!box) return;
  Object.assign(view, { box, shown: PAGE_SIZE }); // a box that is pulled again is no further step
  begin();
});

const wall = new Wall(service, element("wall"), element("more-wall"), {
  linkOf: (result) => alikeLink(result),
  onFail(error) {
    if (!element("start").hidden) fail(error, 0);
  },
});

function open(next, focused) {
  goTo({ shown: PAGE_SIZE, filters: [], ...next }, focused);
}

/** Show a view, a new one or an earlier one, which still has its results; `focused` is the id of its heading. */
function goTo(next, focused) {
  leave();
  view = next;
  history.pushState(keep(view), "", addressOf(view));
  show();
  if (focused) screen.goTo(focused);
}

function keep(view) {
  const id = Math.random(); // a counter would repeat ids after a reload
  views.set(id, view);
  return { id, photo: Boolean(view.file) };
}

function leave() {
  running?.abort();
  running = undefined;
  waitsForNetwork = false;
  element("trail").hidden = true;
  if (view) view.scroll = window.scrollY;
}

/** Show the view of the current history entry, from memory or else from its address. */
function restore() {
  leave();
  view = views.get(history.state?.id);
  const photoIsGone = !view && history.state?.photo;
  if (!view) {
    view = readAddress();
    history.replaceState(keep(view), "");
  }
  show(photoIsGone ? "Your photo was not kept. Please choose it again." : "");
  window.scrollTo(0, view.scroll ?? 0);
}

function isSearch() {
  return view.key || view.file || view.random || view.words;
}

function show(message) {
  showWords(view.words, view.key || view.file || view.random);
  if (view.kept) return showKept();
  if (!isSearch()) return showStart(message);
  showSubject();
  screen.showMarked(view.box);
  crop.show(view.box);
  if (view.until > Date.now()) showResults({ kept: 0 });
  else begin();
}

function showStart(message) {
  screen.showStart(message);
  if (!element("wall").children.length) wall.fill().then(about);
}

function showKept() {
  screen.showKept();
  about();
  const all = allKept().map((result) => ({ ...result, renewed: () => freshUrl(result.key) }));
  element("kept-list").replaceChildren(...all.map((result) => card(result, partsOf(result))));
  if (!all.length) screen.say("You have kept nothing yet. The heart on a photo keeps it here.");
}

// Signed addresses expire long before the visitor comes back.
async function freshUrl(key) {
  const { query } = await service.alike({ key, k: 1 });
  return query.url;
}

function begin() {
  view.results = view.until = undefined;
  search();
}

/** Search until the view has as many results as it should show. */
async function search({ focus = false } = {}) {
  running?.abort();
  const mine = (running = new AbortController());
  waitsForNetwork = false;
  const kept = view.results?.length ?? 0;
  screen.showWaiting(kept);
  const slow = setTimeout(screen.showSlow, SLOW_MS, Date.now() > awakeUntil);
  try {
    const columns = columnsToCount((await about()).columns);
    const found = await gather(service, view, columns, mine, showSubject);
    awakeUntil = Date.now() + AWAKE_MS;
    if (running !== mine) return;
    running = undefined;
    Object.assign(view, found);
    history.replaceState(history.state, "", addressOf(view));
    showSubject();
    const note = found.renewed ? "The gallery has changed in the meantime, so these are new results. " : "";
    showResults({ kept: found.renewed ? 0 : kept, note, focus });
  } catch (error) {
    if (running === mine) fail(error, kept);
  } finally {
    clearTimeout(slow);
  }
}

function showResults(how) {
  // A visitor who has chosen filters or words wants to see what is left, however unlike.
  const unlike = view.file && !view.words && !view.filters.length && view.results[0]?.score < MIN_SCORE;
  const more = !view.last && view.shown < MAX_DEPTH;
  screen.showResults(view, { ...how, more, unlike, partsOf });
}

/** What the service says of the gallery, or nothing: the search then tells what is wrong. */
function about() {
  asked ??= service.index().then(
    (answer) => {
      offerWords(answer.columns);
      return (gallery = answer);
    },
    () => ((asked = undefined), gallery),
  );
  return asked;
}

/** Show what is searched by: the photo or garment, the steps to it, the filters. */
function showSubject() {
  screen.showQuery(view);
  showTrail(view, (step) => goTo(step, "found-title"));
  showFilters(view, gallery, filter);
}

/** Search by the same with another box, other words or other filters. What a step before has found already is shown at once. */
function narrow(change) {
  const { file, photo, key, url, product, box, words, filters, query } = view;
  const next = { file, photo, key, url, product, box, words, filters, query, ...change };
  const before = stepBefore(view, next);
  if (before && isSame(before, next)) goTo(before);
  else open({ ...next, parent: before });
}

function filter(filters) {
  narrow({ filters });
}

// A card leads to the product; where there is no page for it, to what is similar.
function partsOf(result) {
  const shop = shopLink(result, PRODUCT_LINK);
  const alike = alikeLink(result);
  const buttons = make("div", { className: "card-buttons" });
  const larger = () => screen.showLarger(card(result, partsOf(result)));
  const name = nameOf(result);
  buttons.append(
    ...(shop ? [iconButton("alike", `More like ${name}`, alike.onClick)] : []),
    keepsOn(iconButton("keep", `Keep ${name}`), result),
    iconButton("larger", `Look closer at ${name}`, larger),
  );
  const note = DEVELOPER ? `${result.score?.toFixed(4) ?? ""} ${result.key}` : "";
  return { ...(shop ? { href: shop, elsewhere: true } : alike), extra: [buttons], note };
}

// A click that the browser answers by a new tab, a new window or a download.
function opensElsewhere({ ctrlKey, metaKey, shiftKey, altKey }) {
  return ctrlKey || metaKey || shiftKey || altKey;
}

// A real address, so that it can also be opened in a new tab or copied.
function alikeLink({ key, url, product }) {
  const onClick = (event) => {
    if (opensElsewhere(event)) return;
    event.preventDefault();
    open({ key, url, product, parent: isSearch() ? view : undefined }, "found-title");
  };
  return { href: addressOf({ key }), onClick };
}

function fail(error, kept) {
  running = undefined;
  const ofPhoto = error instanceof PhotoError;
  const ofService = error instanceof ServiceError;
  if (!ofPhoto && !ofService) console.error(error);
  waitsForNetwork = error.offline;
  const message = ofPhoto || ofService ? error.message : "Something went wrong on this page. Please reload it.";
  screen.showProblem(message, { mayRetry: ofService && !error.final, kept, unseen: ofPhoto });
}

function retry() {
  if (isSearch()) search({ focus: true });
  else showStart();
}

function startAnew() {
  open({}, "start-title");
}

function showMore(options) {
  view.shown = Math.min(view.results.length + PAGE_SIZE, MAX_DEPTH);
  search(options);
}

function searchBy(file) {
  open({ file }, "found-title");
}

takePhotos(searchBy, () =>
  screen.say("That is not a photo. Save or copy the photo itself, then drop or paste it here."),
);
takeWords((words) => {
  if (view.key || view.file) narrow({ words });
  else if (words) open({ words });
  else return;
  screen.goTo("found-title");
});
for (const url of config.SAMPLES ?? []) {
  const sample = button("sample", "", async () => {
    const photo = await (await fetch(url)).blob();
    searchBy(new File([photo], "sample.jpg", { type: photo.type }));
  });
  sample.append(make("img", { src: url, alt: "A sample photo" }));
  element("samples").append(sample);
  element("samples").hidden = false;
}
onClick("random", () => open({ random: true }));
onClick("retry", retry);
onClick("anew", startAnew);
onClick("home", (event) => {
  if (opensElsewhere(event)) return;
  event.preventDefault();
  startAnew();
});
onClick("less", () => {
  const { column } = view.filters[view.filters.length - 1];
  filter(view.filters.filter((each) => each.column !== column));
  screen.goTo("found-title");
});
onClick("more", () => showMore({ focus: true }));
whenNear(element("more"), () => {
  if (!running && window.scrollY) showMore({ focus: document.activeElement === element("more") });
});
onClick("cancel", () => {
  running.abort();
  running = undefined;
  screen.showProblem("The search was cancelled.", { mayRetry: true, kept: view.results?.length ?? 0 });
  element("retry").focus();
});
onClick("mark", () => {
  if (crop.isShown) return crop.remove();
  crop.begin();
  screen.showMarked(true);
});
onClick("open-kept", () => open({ kept: true }, "kept-title"));
window.addEventListener("kept", countKept);
window.addEventListener("online", () => waitsForNetwork && retry());
window.addEventListener("popstate", restore);
history.scrollRestoration = "manual"; // the browser would scroll before the results are there

function countKept() {
  const count = allKept().length;
  element("open-kept").textContent = `Kept (${count})`;
  element("open-kept").hidden = count === 0;
}

countKept();
restore();
