// Call the search service over HTTP. Every failure becomes a ServiceError with a message for visitors.

/** Results per request. */
export const PAGE_SIZE = 16;
/** The most results of one request, and of a whole search. */
export const MAX_PAGE = 100;
export const MAX_DEPTH = 1000;

// Longer than a gateway's 30 seconds, so that its answer still arrives.
const PATIENCE_MS = 35_000;

/** `final`: the same search would fail again. `offline`: there is no network. `type`: as in docs/errors.md. */
export class ServiceError extends Error {
  constructor(message, about) {
    super(message);
    Object.assign(this, about);
  }
}

// Of a product, cards show these columns.
const FIELDS = "title,link,brand,price,sale_price,availability";

/**
 * Each method takes the parameters of docs/api.md, a list for one that is repeated; empty ones are left out. To abort a
 * `control` ends the request.
 */
export class Service {
  constructor(url) {
    this.url = url.replace(/\/+$/, "");
  }

  byPhoto(photo, parameters, control) {
    const form = new FormData(); // unlike a bare image, a form needs no preflight request
    form.append("file", photo, "photo.jpg");
    return this.#ask("/v1/search", parameters, control, { method: "POST", body: form });
  }

  inWords(parameters, control) {
    return this.#ask("/v1/words", parameters, control);
  }

  alike(parameters, control) {
    return this.#ask("/v1/similar", parameters, control);
  }

  atRandom(parameters, control) {
    return this.#ask("/v1/random", parameters, control);
  }

  /** The gallery's top folders, `{ value, count }` each, and its products' columns; an older service lists none. */
  async index() {
    const response = await fetch(`${this.url}/v1/index`);
    const { folders = [], columns = [] } = await response.json();
    return { folders: folders.map(({ name, count }) => ({ value: name, count })), columns };
  }

  async #ask(path, parameters, control = new AbortController(), request) {
    const all = Object.entries({ ...parameters, fields: FIELDS });
    const each = all.flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
    const given = each.filter(([, value]) => value !== undefined && value !== "");
    const url = `${this.url}${path}?${new URLSearchParams(given)}`;
    let tooSlow = false; // Safari before 16 has no AbortSignal.timeout
    const timer = setTimeout(() => control.abort((tooSlow = true)), PATIENCE_MS);
    let response, answer;
    try {
      response = await fetch(url, { ...request, signal: control.signal });
      answer = await response.json();
    } catch (error) {
      if (tooSlow) throw new ServiceError(TOO_SLOW, { offline: false });
      if (control.signal.aborted) throw error; // the visitor has moved on
      if (!(error instanceof SyntaxError)) throw unanswered(error);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw refusal(response, answer);
    if (!Array.isArray(answer?.results)) throw new ServiceError(STRANGER);
    return answer;
  }
}

// `fetch` says TypeError where there is no answer. Anything else is a mistake of this page, and stays what it is.
function unanswered(error) {
  if (!(error instanceof TypeError)) return error;
  const offline = !navigator.onLine;
  return new ServiceError(offline ? OFFLINE : UNREACHABLE, { offline });
}

const OFFLINE = "You seem to be offline. The search continues when you are back online.";
const TOO_SLOW = "The search service took too long to answer. Please try again.";
const STRANGER = "The answer did not come from the search service. Please try again later.";
// A busy gateway may answer without CORS headers; to a page, that is no answer at all.
const UNREACHABLE = "The search service cannot be reached or is too busy. Please try again in a moment.";
const STARTING = "The search service is busy or starting up. Please try again in a moment.";
// The service explains its errors (application/problem+json); a gateway in front of it sends a status only.
const GATEWAY_WORDS = {
  413: "This photo is too large for the search service. Please choose a smaller one.",
  429: "Too many searches right now. Please wait a moment and try again.",
  502: STARTING,
  503: STARTING,
  504: TOO_SLOW,
};

function refusal({ status, headers }, answer) {
  const isProblem = (headers.get("Content-Type") ?? "").includes("problem+json");
  const explained = isProblem && (answer?.detail || answer?.title);
  const words = explained || GATEWAY_WORDS[status] || `The search service answered with an error (${status}).`;
  return new ServiceError(words, { final: status < 500 && status !== 429, type: answer?.type });
}
