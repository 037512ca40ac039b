// What a turn changed in a stored state, path by path.

const MAX_CHANGES = 500;

const isBranch = (value) => value !== null && typeof value === "object";

/**
 * The differences of two JSON values, in the order of their paths.
 *
 * @returns a list of {path, change: "added" | "removed" | "changed", before, after}. The path of
 *   the value itself is "". Lists are compared index by index. At most 500 are returned.
 */
export function difference(before, after) {
  if (missing(before) && missing(after)) return [];
  const changes = [];
  // A stack, because states may be nested deeper than calls can be.
  const pending = [{ path: "", before, after }];
  while (pending.length > 0 && changes.length < MAX_CHANGES) {
    const each = pending.pop();
    if (isBranch(each.before) && isBranch(each.after) && sameKind(each.before, each.after)) {
      pending.push(...children(each).reverse());
    } else if (!equal(each.before, each.after)) {
      const { path, before: old, after: now } = each;
      changes.push({ path, change: kindOf(each), before: old, after: now });
    }
  }
  return changes;
}

const missing = (value) => value === undefined || value === null;

const sameKind = (one, other) => Array.isArray(one) === Array.isArray(other);

const equal = (one, other) => one === other || (Number.isNaN(one) && Number.isNaN(other));

function kindOf({ path, before, after }) {
  // The state as a whole is null before it is first written, and after it is deleted.
  const gone = path === "" ? missing : (value) => value === undefined;
  if (gone(before)) return "added";
  return gone(after) ? "removed" : "changed";
}

function children({ path, before, after }) {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].map((key) => ({
    path: joined(path, key, Array.isArray(before)),
    before: own(before, key),
    after: own(after, key),
  }));
}

const own = (value, key) => (Object.hasOwn(value, key) ? value[key] : undefined);

/** A path with one more key: "user.name", "items[2]", or `["a.b"]` for other names. */
export function joined(path, key, isList = false) {
  if (isList) return `${path}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** How many paths were added, removed and changed. */
export function counted(changes) {
  const counts = { added: 0, removed: 0, changed: 0 };
  for (const { change } of changes) counts[change] += 1;
  return counts;
}
