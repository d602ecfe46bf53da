// Ask the service for as many results as a view should show.
import { MAX_PAGE } from "./api.js";
import { WHOLE } from "./crop.js";
import { conditionsOf, folderOf } from "./filters.js";
import { openPhoto, shrink } from "./photo.js";

const FRESH_MS = 900_000; // signed URLs expire

/** Return what the view gains; `columns` are to be counted. */
export async function gather(service, view, columns, control, onPhotoOpen) {
  let { results = [], index, query, facets } = view;
  let renewed = false;
  let last;
  do {
    const k = Math.min(view.shown - results.length, MAX_PAGE);
    const page = results.length ? { k, offset: results.length } : { k, facets: columns.join() };
    const answer = await ask(service, view, page, control, onPhotoOpen);
    // Pages of two generations do not fit together: start again, once.
    if (results.length && index.generation !== answer.index?.generation && !renewed) {
      [results, renewed] = [[], true];
      continue;
    }
    results = [...results, ...answer.results];
    ({ index, query, facets = facets } = answer);
    last = answer.results.length < k;
  } while (results.length < view.shown && !last);
  return { results, facets, index, query, last, renewed, until: Date.now() + FRESH_MS };
}

async function ask(service, view, page, control, onPhotoOpen) {
  const { filters, key, words } = view;
  const options = { ...page, q: words, group: "product", prefix: folderOf(filters), where: conditionsOf(filters) };
  if (view.file) {
    view.photo ??= await openPhoto(view.file);
    if (!control.signal.aborted) onPhotoOpen();
    return service.byPhoto(await shrink(view.photo, view.box ?? WHOLE), options, control);
  }
  if (!key && words) return service.inWords(options, control);
  const answer = await (key ? service.alike({ key, ...options }, control) : service.atRandom(options, control));
  if (answer.query) Object.assign(view, { key: answer.query.key, url: answer.query.url });
  return answer;
}
