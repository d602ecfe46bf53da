// How cards look, on the page and in the widget. A page sets its own colours by the variables. Each rule begins at the
// start of a line.
export const CARD_RULES = `
.garments { display: grid; grid-template-columns: repeat(auto-fill, minmax(max(8.25rem, 21%), 1fr));
  gap: clamp(1rem, 2.2vw, 1.75rem) clamp(0.6rem, 1.5vw, 1.1rem); margin: 0; padding: 0; list-style: none; }
.garment { position: relative; min-width: 0; }
.card-buttons { position: absolute; top: 0.35rem; right: 0.35rem; display: flex; gap: 0.25rem; }
.icon-button { display: grid; place-items: center; width: 2.25rem; height: 2.25rem; padding: 0;
  border: 1px solid #0002; border-radius: 50%; background: rgb(255 255 255 / 0.92); color: #1f2328; cursor: pointer; }
.icon-button svg { width: 1.2rem; height: 1.2rem; fill: none; stroke: currentColor; stroke-width: 1.8; }
.icon-button[aria-pressed="true"] svg { fill: #b3261e; stroke: #b3261e; }
@media (hover: hover) {
  .icon-button { opacity: 0; }
  .garment:hover .icon-button, .garment:focus-within .icon-button, .icon-button[aria-pressed="true"] { opacity: 1; } }
.card { display: block; width: 100%; padding: 0; border: 0; background: none; color: inherit; font: inherit;
  text-align: start; text-decoration: none; cursor: pointer; }
.card:focus-visible { outline: none; }
.card:focus-visible .photo { outline: 3px solid var(--garment-accent, currentColor); outline-offset: 2px; }
.photo { position: relative; display: block; aspect-ratio: var(--garment-ratio, 3 / 4);
  border-radius: var(--garment-radius, 10px); }
.photo img { position: absolute; bottom: 0; left: 50%; box-sizing: border-box;
  width: min(100%, 100% * var(--own) / (var(--garment-ratio, 3 / 4))); border: 1px solid var(--garment-line, #8883);
  border-radius: inherit; background: var(--garment-photo, #fff); opacity: 0; transform: translateX(-50%);
  transition: opacity 0.25s; }
.photo img.fits { width: 100%; height: 100%; object-fit: cover; }
.photo img.loaded { opacity: 1; }
.photo.waiting { overflow: hidden; background: #8882; }
.photo.waiting::before { position: absolute; inset: 0; transform: translateX(-100%); content: "";
  background: linear-gradient(90deg, #0000, #8883, #0000); animation: shimmer 1.4s infinite; }
.unseen { position: absolute; inset: 0; display: grid; place-items: center; padding: 1rem;
  border: 1px dashed currentColor; border-radius: inherit; font-size: 0.875rem; text-align: center; }
.about { display: block; margin-top: 0.5rem; font-size: 0.875rem; line-height: 1.35; overflow-wrap: anywhere; }
.about > * { display: block; }
.brand, .note { font-size: 0.75rem; opacity: 0.8; }
.card:hover .title { text-decoration: underline; }
.price { font-weight: 600; font-variant-numeric: tabular-nums; }
.price s { margin-inline-start: 0.5em; font-weight: 400; opacity: 0.8; }
@keyframes shimmer { to { transform: translateX(100%); } }
@media (prefers-reduced-motion: reduce) {
  .photo img { transition: none; } .photo.waiting::before { animation: none; } }
`;
