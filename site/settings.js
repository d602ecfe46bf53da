// What a shop may want to change; docs/page.md says what each setting means. The service's address is in config.js.
export const PRODUCT_LINK = "";
export const FILTERS = {
  folder: "Category", "seen.kind": "Type", brand: "Brand", color: "Colour", "seen.colour": "Colour", size: "Size",
  price: "Price",
};
export const MIN_SCORE = 0.4; // it depends on the model
export const DEVELOPER = new URLSearchParams(location.search).has("developer");
