// Filters: what may be chosen, from what the service counts, and what is chosen: { column, value } each, in that order.
import { button, element, make } from "./make.js";
import { FILTERS } from "./settings.js";

const [toggles, offered, chips, sights] = ["filters", "offered", "chosen", "seen"].map(element);
// By column: what it had when it had no filter of its own, and the other filters then.
const known = {};
const SIGHTS = ["kind", "colour", "words"]; // of what the model sees
let open; // the column whose values are shown
let shown; // the arguments of `showFilters`

export function folderOf(filters) {
  return filters.find(({ column }) => column === "folder")?.value;
}

/** The service's conditions for filters; values of one column are alternatives. */
export function conditionsOf(filters) {
  const columns = new Set(filters.map(({ column }) => column));
  columns.delete("folder");
  return [...columns].map((column) => {
    const values = filters.filter((each) => each.column === column).map(({ value }) => value.replace(/,/g, "\\,"));
    return `${column}:${values}`;
  });
}

export function filtersOf(folder, conditions) {
  const others = conditions.flatMap((condition) => {
    const [column] = condition.split(":", 1);
    const values = condition.slice(column.length + 1).match(/(\\,|[^,])+/g) ?? [];
    return values.map((value) => ({ column, value: value.replace(/\\,/g, ",") }));
  });
  return [...(folder ? [{ column: "folder", value: folder }] : []), ...others];
}

/** A filter in words. */
export function wordsOf({ column, value }) {
  const [from, to] = value.split("..");
  if (to === undefined) return (column.startsWith("-") ? "not " : "") + value.replace(/_/g, " ");
  return `${FILTERS[column] ?? column} ${from && to ? `${from} to ${to}` : from ? `from ${from}` : `up to ${to}`}`;
}

/** Of the index's columns, those to count: the first with each label. Until then the index says what there is. */
export function columnsToCount(columns) {
  const names = Object.keys(FILTERS).filter((name) => columns.some((each) => each.name === name));
  const counted = names.filter((name, at) => names.findIndex((each) => FILTERS[each] === FILTERS[name]) === at);
  for (const { name, values = [], least, most } of columns) {
    if (counted.includes(name)) known[name] ??= { facet: { values: values.map((value) => ({ value })), least, most } };
  }
  return counted;
}

/**
 * Show what may be chosen and what is. `folders` are all, with their counts, and `columns` the index's; `onChange` gets
 * the new filters.
 */
export function showFilters({ filters, facets = {}, query = {} }, { folders, columns }, onChange) {
  shown = { filters, facets, seen: query.seen, columns, onChange };
  known.folder = { facet: { values: folders }, under: "[]" };
  for (const [column, facet] of Object.entries(facets)) {
    if (!filters.some((each) => each.column === column)) known[column] = { facet, under: JSON.stringify(filters) };
  }
  render();
}

function render() {
  const { filters, onChange } = shown;
  const focused = document.activeElement?.dataset.filter;
  const columns = Object.keys(FILTERS).filter((column) => isRange(column) || known[column]?.facet.values?.length > 1);
  toggles.replaceChildren(...columns.map(toggle));
  offered.hidden = !columns.includes(open);
  offered.replaceChildren(...(offered.hidden ? [] : isRange(open) ? [range(open)] : valuesOf(open)));
  offered.setAttribute("aria-label", FILTERS[open]);
  chips.replaceChildren(
    ...filters.map((filter) => {
      const without = filters.filter((each) => each !== filter);
      const chip = button("button small primary", wordsOf(filter), () => onChange(without));
      chip.setAttribute("aria-label", `Take off ${wordsOf(filter)}`);
      return named(chip, "chosen", filter.value);
    }),
  );
  const sure = SIGHTS.flatMap((name) => (shown.seen?.[name] ?? []).filter((each) => each.sure).map(sight(`seen.${name}`)));
  sights.replaceChildren(...(sure.length ? ["We see:", ...sure] : []));
  if (!focused) return;
  const all = [...document.querySelectorAll("[data-filter]")];
  (all.find((each) => each.dataset.filter === focused) ?? element("found-title")).focus({ preventScroll: true });
}

// A name by which the focus finds a button that is made anew.
function named(made, ...name) {
  made.dataset.filter = name.join(":");
  return made;
}

function isRange(column) {
  const { least, most } = known[column]?.facet ?? {};
  return least < most;
}

function toggle(column) {
  const made = button("button small", FILTERS[column], () => {
    open = open === column ? undefined : column;
    render();
  });
  made.setAttribute("aria-expanded", open === column);
  return named(made, column);
}

// What is seen in the visitor's photo; a filter where the index has that column.
const sight = (column) => ({ value }) =>
  shown.columns.some(({ name }) => name === column)
    ? named(choice(column, value), "seen", column, value)
    : make("span", { textContent: wordsOf({ column, value }) });

// Several values may be chosen, but of folders one.
function choice(column, value) {
  const { filters, onChange } = shown;
  const chosen = filters.find((each) => each.column === column && each.value === value);
  const rest = filters.filter((each) => (column === "folder" ? each.column !== column : each !== chosen));
  const next = chosen ? rest : [...rest, { column, value }];
  const chip = button("button small", wordsOf({ column, value }), () => onChange(next));
  chip.setAttribute("aria-pressed", Boolean(chosen));
  return named(chip, column, value);
}

function valuesOf(column) {
  const { filters, facets } = shown;
  const { facet, under } = known[column];
  const others = filters.filter((each) => each.column !== column);
  const counted = under === JSON.stringify(others) ? facet : facets[column];
  return facet.values.map(({ value }) => {
    const chip = choice(column, value);
    const count = counted?.values?.find((each) => each.value === value)?.count;
    if (count) chip.append(make("small", { textContent: ` ${count}` }));
    return chip;
  });
}

function range(column) {
  const { filters, onChange } = shown;
  const { least, most } = known[column].facet;
  const ends = filters.find((each) => each.column === column)?.value.split("..") ?? [];
  const form = make("form", { className: "range" });
  const [from, to] = [["from", Math.floor(least)], ["to", Math.ceil(most)]].map(([words, placeholder], end) => {
    const label = make("label", { textContent: words });
    const value = ends[end] ?? "";
    const input = make("input", { className: "button small", type: "number", min: 0, step: "any", value, placeholder });
    label.append(named(input, column, words));
    form.append(label);
    return input;
  });
  form.append(named(make("button", { className: "button small", textContent: "Apply" }), column, "apply"));
  form.onsubmit = (event) => {
    event.preventDefault();
    const others = filters.filter((each) => each.column !== column);
    const value = `${from.value}..${to.value}`;
    onChange(value === ".." ? others : [...others, { column, value }]);
  };
  return form;
}
