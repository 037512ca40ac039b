/** More entries of a message's menu: `{key, label, run}`. */
export function messageActions(activity, context) {
  return [];
}
