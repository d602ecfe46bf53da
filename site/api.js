// The search service over HTTP: three questions, and every failure as a ServiceError whose message is for people.
import { SERVICE_URL } from "./config.js";

// A gateway gives up after 30 seconds; a little more, so that its own answer still arrives.
const PATIENCE_MS = 35_000;

/** A failure in words that can be shown as they are; `final` where the same search would fail again. */
export class ServiceError extends Error {
  constructor(message, final = false) {
    super(message);
    this.final = final;
  }
}

/** The garments most similar to a photo (a File or Blob). */
export function searchByPhoto(photo, signal) {
  const form = new FormData();
  form.append("file", photo);
  return ask("/v1/search", { method: "POST", body: form, signal }, photo.size);
}

/** The garments most similar to one of the gallery's own. */
export function searchByKey(key, signal) {
  return ask(`/v1/similar?${new URLSearchParams({ key })}`, { signal });
}

/** A random garment of the gallery and those most similar to it. */
export function searchAtRandom(signal) {
  return ask("/v1/random", { signal });
}

async function ask(path, options, bytesSent = 0) {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  let response, text;
  try {
    response = await fetch(SERVICE_URL + path, { ...options, signal: either(options.signal, timeout) });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error; // the person has moved on to another search
    throw new ServiceError(timeout.aborted ? TOO_SLOW : unreachable(bytesSent));
  }
  const answer = parsed(text);
  if (!response.ok) throw new ServiceError(refusal(response, answer), REFUSED_FOR_GOOD.includes(response.status));
  if (!Array.isArray(answer?.results)) throw new ServiceError(STRANGER);
  return answer;
}

const REFUSED_FOR_GOOD = [400, 404, 413, 415, 422];
const TOO_SLOW = "The search service took too long to answer. Please try again.";
const STRANGER = "What answered is not the search service. Please check its address in config.js.";

// A server that refuses a large upload may close the connection before the browser reads why.
function unreachable(bytesSent) {
  if (!navigator.onLine) return "You seem to be offline. Connect to the internet and try again.";
  const megabytes = bytesSent / 1e6;
  if (megabytes > 4) {
    return `The connection broke while the photo was sent. It has ${megabytes.toFixed(1)} MB; a smaller one may work.`;
  }
  return "The search service cannot be reached. Please try again in a moment.";
}

// The service itself explains (application/problem+json); a gateway in front of it only has its status.
const GATEWAY_WORDS = {
  413: "This photo is too large for the search service. Please choose a smaller one.",
  429: "Too many searches right now. Please wait a moment and try again.",
  502: "The search service did not start properly. Please try again in a moment.",
  503: "The search service is busy or just starting. Please try again in a moment.",
  504: TOO_SLOW,
};

function refusal(response, answer) {
  const isProblem = (response.headers.get("Content-Type") ?? "").includes("problem+json");
  if (isProblem && (answer?.detail || answer?.title)) return sentence(answer.detail || answer.title);
  return GATEWAY_WORDS[response.status] ?? `The search service answered with an error (${response.status}).`;
}

function sentence(words) {
  const text = words[0].toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// AbortSignal.any() is younger than the browsers this page should work in.
function either(first, second) {
  if (!first) return second;
  const both = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) both.abort();
    signal.addEventListener("abort", () => both.abort(), { once: true });
  }
  return both.signal;
}
