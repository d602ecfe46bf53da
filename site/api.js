// The search service over HTTP: three questions, and every failure as a ServiceError whose message is for people.

/** How many results one request brings. */
export const PAGE_SIZE = 16;
/** The most results of one request, and of a search. */
export const MAX_PAGE = 100;
export const MAX_DEPTH = 1000;

// A gateway gives up after 30 seconds; its own answer shall still arrive.
const PATIENCE_MS = 35_000;

/** `final` where the same search would fail again, `offline` without a network, `type` as in docs/errors.md. */
export class ServiceError extends Error {
  constructor(message, about) {
    super(message);
    Object.assign(this, about);
  }
}

/** `options` are parameters of docs/api.md; empty ones are left out. */
export class Service {
  constructor(url) {
    this.url = url.replace(/\/+$/, "");
  }

  byPhoto(photo, options, signal) {
    const form = new FormData(); // unlike a bare image it needs no preflight
    form.append("file", photo, "photo.jpg");
    return this.#ask("/v1/search", options, { method: "POST", body: form, signal });
  }

  byKey(key, options, signal) {
    return this.#ask("/v1/similar", { key, ...options }, { signal });
  }

  atRandom(options, signal) {
    return this.#ask("/v1/random", options, { signal });
  }

  /** The gallery's top ones; older services have no list. */
  async folders() {
    const response = await fetch(`${this.url}/v1/index`);
    const { folders = [] } = await response.json();
    return folders.map(({ name }) => name);
  }

  async #ask(path, parameters, request) {
    const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
    const timeout = AbortSignal.timeout(PATIENCE_MS);
    let response, answer;
    try {
      const signal = AbortSignal.any([request.signal, timeout]);
      response = await fetch(`${this.url}${path}?${new URLSearchParams(given)}`, { ...request, signal });
      answer = await response.json();
    } catch (error) {
      if (request.signal.aborted) throw error; // the person has moved on
      const offline = !navigator.onLine;
      const words = offline ? OFFLINE : timeout.aborted ? TOO_SLOW : UNREACHABLE;
      if (!(error instanceof SyntaxError)) throw new ServiceError(words, { offline });
    }
    if (!response.ok) throw refusal(response, answer);
    if (!Array.isArray(answer?.results)) throw new ServiceError(STRANGER);
    return answer;
  }
}

const OFFLINE = "You seem to be offline. The search goes on by itself when you are connected again.";
const TOO_SLOW = "The search service took too long to answer. Please try again.";
const STRANGER = "What answered is not the search service.";
// A gateway that is too busy may answer without CORS headers, which a page cannot tell from no answer at all.
const UNREACHABLE = "The search service cannot be reached, or is too busy. Please try again in a moment.";
const STARTING = "The search service is busy or just starting. Please try again in a moment.";
// The service itself explains (application/problem+json); a gateway in front of it only has its status.
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
