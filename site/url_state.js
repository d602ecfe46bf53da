// The state in the address bar: the garment, the folder and the number of results; never a visitor's photo.
import { MAX_PAGE, PAGE_SIZE } from "./api.js";
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
    folder: given.get("folder") ?? "",
    shown: Math.min(Math.max(pages * PAGE_SIZE, PAGE_SIZE), MOST_SHOWN),
  };
}

export function addressOf({ key, kept, folder = "", shown = PAGE_SIZE }) {
  const parts = new URLSearchParams();
  if (DEVELOPER) parts.set("developer", "");
  if (kept) parts.set("kept", "");
  if (key) parts.set("key", key);
  if (folder) parts.set("folder", folder);
  if (key && shown > PAGE_SIZE) parts.set("shown", shown);
  return location.pathname + (String(parts) && `?${parts}`);
}
