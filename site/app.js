// What a click does: show the query, ask the service, show its answer or say what went wrong.
import { searchAtRandom, searchByKey, searchByPhoto, ServiceError } from "./api.js";
import { showProblem, showQuery, showResults, showWaiting } from "./view.js";

// An idle service is not running; starting takes it a few seconds, and people should know that it is not stuck.
const COLD_START_MS = 1_500;

const photoInput = document.getElementById("photo");
let running; // the AbortController of the search under way
let last; // the last search, for "Try again"

async function run(search) {
  last = search;
  running?.abort();
  const mine = (running = new AbortController());
  showWaiting("Searching…");
  const coldStart = setTimeout(() => showWaiting("The search service is waking up. The first search takes longer…"), COLD_START_MS);
  try {
    const answer = await search(mine.signal);
    if (running === mine) showResults(answer, byKey);
  } catch (error) {
    if (running !== mine) return; // a later search has taken over
    const known = error instanceof ServiceError;
    if (!known) console.error(error);
    showProblem(known ? error.message : "Something on this page went wrong. Please reload it.", known && !error.final);
  } finally {
    clearTimeout(coldStart);
  }
}

function byPhoto(photo) {
  showQuery({ title: "Your photo", name: photo.name, url: URL.createObjectURL(photo) });
  return run((signal) => searchByPhoto(photo, signal));
}

function byKey({ key, url }) {
  showQuery({ title: "Similar to", name: key, url });
  return run((signal) => searchByKey(key, signal));
}

function atRandom() {
  return run(async (signal) => {
    const answer = await searchAtRandom(signal);
    showQuery({ title: "Random garment", name: answer.query.key, url: answer.query.url });
    return answer;
  });
}

photoInput.addEventListener("change", () => {
  const [photo] = photoInput.files;
  photoInput.value = ""; // choosing the same photo again is a change again
  if (photo) byPhoto(photo);
});
document.getElementById("random").addEventListener("click", atRandom);
document.getElementById("retry").addEventListener("click", () => run(last));
