// Print every member of an object, CSS property, selector, rule and unit of site/ that the oldest browsers lack.
// eslint-plugin-compat knows globals and static methods alone; MDN's data also know members and style sheets.
import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const { api, css, javascript } = require("@mdn/browser-compat-data");
const espree = createRequire(require.resolve("eslint"))("espree");
const oldest = Object.fromEntries(
  require("../../package.json").browserslist.map((line) => {
    const [name, version] = line.split(" >= ");
    return [{ ios_saf: "safari_ios" }[name] ?? name, version];
  }),
);
// A browser without them shows the page a little plainer, and no less usable.
const MISSABLE = new Set([
  "adoptedStyleSheets", "replaceSync", // widget.js has another way
  "accent-color", "imageSmoothingQuality", "outline", "overscroll-behavior", "text-wrap",
  // The page's own words, which some young interface has too.
  "aspectRatio", "availability", "image", "last", "results", "service", "where",
]);

const isOlder = (one, other) => {
  const [a, b] = [one, other].map((version) => version.replace("≤", "").split(".").map(Number));
  return a[0] - b[0] || (a[1] ?? 0) - (b[1] ?? 0);
};

/** The browsers that lack a feature with this entry in MDN's data. */
function lacking(entry) {
  return Object.entries(oldest).filter(([browser, version]) => {
    const support = entry?.__compat?.support[browser];
    const added = [support].flat().find((each) => each && !each.prefix && !each.flags)?.version_added;
    return typeof added !== "string" || added === "preview" || isOlder(added, version) > 0;
  }).map(([browser]) => browser);
}

// A name is too young if it is so in every interface that has it.
const members = new Map();
for (const interfaces of [api, javascript.builtins, javascript.builtins.Intl]) {
  for (const each of Object.values(interfaces)) {
    for (const [name, entry] of Object.entries(each)) {
      if (!entry.__compat) continue;
      const plain = name.replace(/_(static|event)$/, "");
      const lacks = lacking(entry);
      if (!members.has(plain) || lacks.length < members.get(plain).length) members.set(plain, lacks);
    }
  }
}

function* namesIn(node) {
  if (!node || typeof node !== "object") return;
  if (node.type === "MemberExpression" && !node.computed && node.property.name) {
    yield node.property.name;
    const owner = node.object.name && (api[node.object.name] ?? javascript.builtins[node.object.name]);
    const entry = owner?.[`${node.property.name}_static`] ?? (api[node.object.name] ? undefined : owner?.[node.property.name]);
    if (entry && lacking(entry).length) yield `${node.object.name}.${node.property.name}`;
  }
  if (node.type === "Property" && !node.computed && node.key.name) yield node.key.name;
  for (const child of Object.values(node)) {
    if (Array.isArray(child)) for (const each of child) yield* namesIn(each);
    else if (child?.type) yield* namesIn(child);
  }
}

function* inStyles(text) {
  const rules = text.replace(/\/\*.*?\*\//gs, "");
  for (const [, name] of rules.matchAll(/[;{]\s*([a-z][a-z-]+)\s*:/g)) {
    if (!rules.includes(`-webkit-${name}:`)) yield [name, css.properties[name]];
  }
  for (const [, name] of rules.matchAll(/@([a-z-]+)/g)) yield [`@${name}`, css["at-rules"][name]];
  for (const [, name] of rules.matchAll(/:([a-z-]+)(?=[\s,{:.(>[])(?![^{}]*;)/g)) yield [`:${name}`, css.selectors[name]];
  for (const [, unit] of rules.matchAll(/\d(cq\w+|[dls]v[hw])\b/g)) yield [unit, css.types.length[unit]];
}

const found = new Set();
const site = new URL("../../site/", import.meta.url);
for (const file of readdirSync(site)) {
  const text = readFileSync(new URL(file, site), "utf8");
  const note = (name, lacks) => lacks.length && !MISSABLE.has(name) && found.add(`${file}: ${name} (${lacks})`);
  if (file.endsWith(".js")) {
    const program = espree.parse(text, { ecmaVersion: 2022, sourceType: "module" }); // refuses younger syntax
    for (const name of namesIn(program)) note(name, name.includes(".") ? ["static"] : (members.get(name) ?? []));
  }
  const styles = file.endsWith(".css") ? [text] : [...text.matchAll(/`\n([^`]*\{[^`$]*)`/g)].map(([, inner]) => inner);
  for (const [name, entry] of styles.flatMap((each) => [...inStyles(each)])) if (entry) note(name, lacking(entry));
}
for (const line of [...found].sort()) console.log(line);
process.exitCode = found.size ? 1 : 0;
