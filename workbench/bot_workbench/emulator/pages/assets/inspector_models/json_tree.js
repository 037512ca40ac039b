// A JSON value as the rows of a tree that can be folded and searched.

import { joined } from "./state_difference.js";

export const MAX_CHILDREN = 100;
const OPEN_DEPTH = 2;
const OPEN_CHILDREN = 30;
const MAX_MATCHES = 1000;

/** Kind of a value: "object", "list", "string", "number", "boolean" or "null". */
export function kindOf(value) {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "object" : typeof value;
}

const isBranch = (value) => value !== null && typeof value === "object";

/** The paths that are open at first: the outer levels, without long lists. */
export function openAtFirst(value) {
  const open = new Set();
  const pending = [{ path: "", value, depth: 0 }];
  while (pending.length > 0) {
    const each = pending.pop();
    if (!isBranch(each.value) || each.depth >= OPEN_DEPTH) continue;
    const children = entries(each.value);
    if (each.depth > 0 && children.length > OPEN_CHILDREN) continue;
    open.add(each.path);
    for (const [key, child] of children) {
      const path = joined(each.path, key, Array.isArray(each.value));
      pending.push({ path, value: child, depth: each.depth + 1 });
    }
  }
  return open;
}

/**
 * The rows of a tree: {path, key, depth, kind, value, children, open, more}.
 *
 * @param value JSON, nested as deep as it likes.
 * @param open paths of objects and lists that are unfolded.
 * @param shown by path, how many children are shown of an object or list that has many. A row with
 *   `more` stands for the others.
 */
export function treeRows(value, open, shown = new Map()) {
  const rows = [];
  const pending = [{ path: "", key: null, value, depth: 0 }];
  while (pending.length > 0) {
    const each = pending.pop();
    if (each.more) {
      rows.push(each);
      continue;
    }
    const branch = isBranch(each.value);
    const children = branch ? entries(each.value) : [];
    const isOpen = children.length > 0 && open.has(each.path);
    rows.push({ ...each, kind: kindOf(each.value), children: children.length, open: isOpen });
    if (!isOpen) continue;
    const limit = shown.get(each.path) ?? MAX_CHILDREN;
    const depth = each.depth + 1;
    const below = children.slice(0, limit).map(([key, child]) => {
      const path = joined(each.path, key, Array.isArray(each.value));
      return { path, key, value: child, depth };
    });
    if (children.length > limit) {
      below.push({ path: each.path, depth, more: children.length - limit });
    }
    for (let index = below.length - 1; index >= 0; index -= 1) pending.push(below[index]);
  }
  return rows;
}

/**
 * The paths whose key or value contains a text, in any case, in the tree's order.
 *
 * @returns {{matches: string[], parents: Map<string, string[]>}} parents has the paths that must be
 *   open to see a match.
 */
export function search(value, text) {
  const wanted = text.toLowerCase();
  const matches = [];
  const parents = new Map();
  const pending = [{ path: "", key: null, value, above: null }];
  while (wanted && pending.length > 0 && matches.length < MAX_MATCHES) {
    const each = pending.pop();
    const leaf = isBranch(each.value) ? "" : String(each.value);
    if (`${each.key ?? ""}\n${leaf}`.toLowerCase().includes(wanted)) {
      matches.push(each.path);
      parents.set(each.path, chain(each.above));
    }
    if (!isBranch(each.value)) continue;
    const below = entries(each.value).map(([key, child]) => {
      const path = joined(each.path, key, Array.isArray(each.value));
      return { path, key, value: child, above: each };
    });
    for (let index = below.length - 1; index >= 0; index -= 1) pending.push(below[index]);
  }
  return { matches, parents };
}

function chain(node) {
  const paths = [];
  for (let each = node; each !== null; each = each.above) paths.push(each.path);
  return paths;
}

/** Every path that can be open, up to a number of them. */
export function allBranches(value, max = 2000) {
  const open = new Set();
  const pending = [{ path: "", value }];
  while (pending.length > 0 && open.size < max) {
    const each = pending.shift();
    if (!isBranch(each.value)) continue;
    open.add(each.path);
    for (const [key, child] of entries(each.value)) {
      const path = joined(each.path, key, Array.isArray(each.value));
      pending.push({ path, value: child });
    }
  }
  return open;
}

/** A folded object or list in a few characters: `{ text, from, … }`, `[ 3 ]`. */
export function preview(value) {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[ ${value.length} ]`;
  const keys = Object.keys(value);
  if (keys.length === 0) return "{}";
  return `{ ${keys.slice(0, 4).join(", ")}${keys.length > 4 ? ", …" : ""} }`;
}

function entries(value) {
  if (Array.isArray(value)) return value.map((each, index) => [String(index), each]);
  return Object.entries(value);
}

/** JSON as indented text. */
export function jsonText(value) {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}
