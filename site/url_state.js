// The state in the address bar: the garment, the filters and the number of results; never a visitor's photo.
import { MAX_PAGE, PAGE_SIZE } from "./api.js";
import { conditionsOf, filtersOf, folderOf } from "./filters.js";
import { DEVELOPER } from "./settings.js";

// What one request may ask for, in whole pages: an address must not make the page load a thousand photos.
const MOST_SHOWN = MAX_PAGE - (MAX_PAGE % PAGE_SIZE);

/** Read the state from the address; ignore values that make no sense. */
export function readAddress() {
  const given = new URLSearchParams(location.search);
  const pages = Math.ceil(Number(given.get("shown")) / PAGE_SIZE) || 1;
  return {
    key: given.get("key") || undefined,
    kept: given.has("kept"),
    filters: filtersOf(given.get("folder"), given.getAll("where")),
    shown: Math.min(Math.max(pages * PAGE_SIZE, PAGE_SIZE), MOST_SHOWN),
  };
}

export function addressOf({ key, kept, filters = [], shown = PAGE_SIZE }) {
  const parts = new URLSearchParams();
  if (DEVELOPER) parts.set("developer", "");
  if (kept) parts.set("kept", "");
  if (key) parts.set("key", key);
  if (folderOf(filters)) parts.set("folder", folderOf(filters));
  for (const condition of conditionsOf(filters)) parts.append("where", condition);
  if (key && shown > PAGE_SIZE) parts.set("shown", shown);
  return location.pathname + (String(parts) && `?${parts}`);
}
