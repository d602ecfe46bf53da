// Find, make and watch elements.

export const element = (id) => document.getElementById(id);

export function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

export function button(className, textContent, onclick) {
  return make("button", { type: "button", className, textContent, onclick });
}

/** Call `listener` whenever an element comes near the window. */
export function whenNear(near, listener) {
  new IntersectionObserver(([entry]) => entry.isIntersecting && listener(), { rootMargin: "300px" }).observe(near);
}

/** Make a button that shows an icon and says `label`. */
export function iconButton(icon, label, onclick) {
  const made = button("icon-button", "", onclick);
  made.title = label;
  made.setAttribute("aria-label", label);
  made.append(iconOf(icon));
  return made;
}

const PATHS = {
  alike: "M4 4h7v7H4zM13 13h7v7h-7zM14 8h5m-2.5-2.5v5M5 16h5",
  keep: "M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11z",
  larger: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
};

function iconOf(name) {
  const make = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const [picture, path] = [make("svg"), make("path")];
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}
