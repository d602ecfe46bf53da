// The page's behaviour. Each search is a view: it has an entry in the browser's history and stays in memory.
import { addressOf, readAddress } from "./url_state.js";
import { MAX_DEPTH, MAX_PAGE, PAGE_SIZE, Service, ServiceError } from "./api.js";
import { SERVICE_URL } from "./config.js";
import { CropBox, WHOLE } from "./crop.js";
import { takePhotos } from "./photo_input.js";
import { openPhoto, PhotoError, shrink } from "./photo.js";
import * as screen from "./screen.js";

const SLOW_MS = 500;
// An idle service takes seconds to start. One that has answered lately does not.
const AWAKE_MS = 240_000;
// 98 of 100 phone photos of garments find a result above this; most other photos do, too. It depends on the model.
const MIN_SCORE = 0.54;

const element = (id) => document.getElementById(id);
const service = new Service(SERVICE_URL);
const views = new Map(); // by the id in history.state: { file | key | random, folder, shown, results, ... }
let folders = []; // the service's list
let listed; // its promise
let awakeUntil = 0;
let view; // the one on the screen
let running; // the AbortController of the search under way
let waitsForNetwork = false;

const crop = new CropBox(element("crop"), element("crop-said"), (box) => {
  if (!box) element("mark").focus(); // its grips, one of which may have the focus, are gone
  Object.assign(view, { box, shown: PAGE_SIZE });
  screen.showMarked(box);
  begin();
});

function open(next) {
  leave();
  view = { shown: PAGE_SIZE, folder: "", ...next };
  history.pushState(keep(view), "", addressOf(view));
  showAll();
  begin();
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
  if (!view.key && !view.file && !view.random) {
    return screen.showStart(photoIsGone ? "Your photo was not kept. Please choose it again." : "");
  }
  showAll();
  if (view.until > Date.now()) showResults({ kept: 0 });
  else begin();
  window.scrollTo(0, view.scroll ?? 0);
}

function showAll() {
  screen.showQuery(view);
  screen.showMarked(view.box);
  crop.show(view.box ?? null);
  screen.showFolders(folders, view.folder);
}

function begin() {
  view.results = view.until = undefined;
  search();
}

/** Search until the view has as many results as it should show. */
async function search() {
  running?.abort();
  const mine = (running = new AbortController());
  waitsForNetwork = false;
  const kept = view.results?.length ?? 0;
  screen.showWaiting(kept);
  const slow = setTimeout(screen.showSlow, SLOW_MS, Date.now() > awakeUntil);
  try {
    const found = await gather(view, mine.signal);
    awakeUntil = Date.now() + AWAKE_MS;
    if (running !== mine) return;
    Object.assign(view, found);
    history.replaceState(history.state, "", addressOf(view));
    screen.showQuery(view);
    const note = found.renewed ? "The gallery has changed in the meantime, so these are new results. " : "";
    showResults({ kept: found.renewed ? 0 : kept, note });
    // Only now, because the service is awake.
    listed ??= service.folders().then(setFolders, () => (listed = undefined));
  } catch (error) {
    if (running === mine) fail(error, kept);
  } finally {
    clearTimeout(slow);
  }
}

async function gather(view, signal) {
  let { results = [], index } = view;
  let renewed = false;
  let last;
  do {
    const k = Math.min(view.shown - results.length, MAX_PAGE);
    const answer = await ask(view, { k, offset: results.length || undefined }, signal);
    // Pages of two generations do not fit together: start again, once.
    if (results.length && index.generation !== answer.index?.generation && !renewed) {
      [results, renewed] = [[], true];
      continue;
    }
    results = [...results, ...answer.results];
    index = answer.index;
    last = answer.results.length < k;
  } while (results.length < view.shown && !last);
  return { results, index, last, renewed, until: Date.now() + 9e5 }; // signed URLs expire
}

async function ask(view, page, signal) {
  const options = { ...page, prefix: view.folder };
  if (view.file) {
    view.photo ??= await openPhoto(view.file);
    if (!signal.aborted) screen.showQuery(view);
    return service.byPhoto(await shrink(view.photo, view.box ?? WHOLE), options, signal);
  }
  const answer = await (view.key ? service.byKey(view.key, options, signal) : service.atRandom(options, signal));
  if (answer.query) Object.assign(view, { key: answer.query.key, url: answer.query.url });
  return answer;
}

function showResults({ kept, note }) {
  // A visitor who has chosen a folder wants to see what is in it, however unlike.
  const unlike = view.file && !view.folder && view.results[0]?.score < MIN_SCORE;
  const more = !view.last && view.shown < MAX_DEPTH;
  screen.showResults(view, { kept, note, more, unlike, cardOf });
}

function setFolders(names) {
  folders = names;
  screen.showFolders(folders, view.folder);
}

// A real address, so that a result can also be opened in a new tab or copied.
function cardOf({ key, url }) {
  const onClick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open({ key, url });
    screen.goToResults();
  };
  return { href: addressOf({ key, folder: view.folder }), onClick };
}

function fail(error, kept) {
  const ofPhoto = error instanceof PhotoError;
  const ofService = error instanceof ServiceError;
  if (!ofPhoto && !ofService) console.error(error);
  waitsForNetwork = error.offline;
  const message = ofPhoto || ofService ? error.message : "Something went wrong on this page. Please reload it.";
  screen.showProblem(message, { mayRetry: ofService && !error.final, kept, unseen: ofPhoto });
}

takePhotos(
  (file) => {
    open({ file });
    screen.goToResults();
  },
  () => screen.say("That is not a photo. Save or copy the photo itself, then drop or paste it here."),
);
element("start").addEventListener("click", () => element("photo").click()); // the same area takes a dropped photo
element("random").addEventListener("click", () => open({ random: true }));
element("retry").addEventListener("click", search);
element("anew").addEventListener("click", () => {
  leave();
  view = { shown: PAGE_SIZE, folder: "" };
  history.pushState(keep(view), "", addressOf(view));
  screen.showStart();
});
element("everywhere").addEventListener("click", () => {
  open({ ...view, shown: PAGE_SIZE, folder: "" });
  screen.goToResults();
});
element("more").addEventListener("click", () => {
  view.shown = Math.min(view.results.length + PAGE_SIZE, MAX_DEPTH);
  search();
});
element("cancel").addEventListener("click", () => {
  running.abort();
  running = undefined;
  screen.showProblem("The search was cancelled.", { mayRetry: true, kept: view.results?.length ?? 0 });
  element("retry").focus();
});
element("mark").addEventListener("click", () => {
  if (view.box) crop.remove();
  else crop.begin();
});
element("folder").addEventListener("change", ({ target }) => {
  open({ ...view, shown: PAGE_SIZE, folder: target.value });
});
window.addEventListener("online", () => waitsForNetwork && search());
window.addEventListener("popstate", restore);
history.scrollRestoration = "manual"; // the browser would scroll before the results are there
restore();
