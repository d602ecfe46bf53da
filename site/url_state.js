// The state in the address bar: the garment, the words, the filters and the number of results; never a visitor's photo.
import { MAX_PAGE, PAGE_SIZE } from "./api.js";
import { conditionsOf, filtersOf, folderOf } from "./filters.js";
import { DEVELOPER } from "./settings.js";

// What one request may ask for, in whole pages: an address must not make the page load a thousand photos.
const MOST_SHOWN = MAX_PAGE - (MAX_PAGE % PAGE_SIZE);
const MOST_CHARACTERS = 200; // that the service reads

/** Read the state from the address; ignore values that make no sense. */
export function readAddress() {
  const given = new URLSearchParams(location.search);
  const pages = Math.ceil(Number(given.get("shown")) / PAGE_SIZE) || 1;
  return {
    key: given.get("key") || undefined,
    words: given.get("q")?.slice(0, MOST_CHARACTERS) || undefined,
    kept: given.has("kept"),
    filters: filtersOf(given.get("folder"), given.getAll("where")),
    shown: Math.min(Math.max(pages * PAGE_SIZE, PAGE_SIZE), MOST_SHOWN),
  };
}

export function addressOf({ file, key, words, kept, filters = [], shown = PAGE_SIZE }) {
  const parts = new URLSearchParams();
  const q = file ? "" : words; // without the photo they would mean something else
  if (DEVELOPER) parts.set("developer", "");
  if (kept) parts.set("kept", "");
  if (key) parts.set("key", key);
  if (q) parts.set("q", q);
  if (folderOf(filters)) parts.set("folder", folderOf(filters));
  for (const condition of conditionsOf(filters)) parts.append("where", condition);
  if ((key || q) && shown > PAGE_SIZE) parts.set("shown", shown);
  return location.pathname + (String(parts) && `?${parts}`);
}
