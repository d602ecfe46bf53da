// What a shop may want to change. The service's address is in config.js.

/** The address of a product's page, for galleries without a feed: `{key}` is the photo's key, `{name}` its file name. */
export const PRODUCT_LINK = "";

/** If even the best result of a photo has a lower score, the page says that nothing is very similar. 98 of 100 phone
 * photos of garments find a result above this; most other photos do, too. It depends on the model. */
export const MIN_SCORE = 0.54;

/** What visitors can filter by, in this order, as far as the gallery has it: folders, and at most eight columns. */
export const FILTERS = { folder: "Category", brand: "Brand", color: "Colour", size: "Size", price: "Price" };

/** Show scores and file names: add `?developer` to the page's address. */
export const DEVELOPER = new URLSearchParams(location.search).has("developer");
