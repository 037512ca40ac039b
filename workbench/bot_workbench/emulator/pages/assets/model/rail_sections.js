/** The sections of the list of conversations. */

const ICONS = { personal: "bot", group: "group", channel: "channel" };

/**
 * @param {Array} conversations as the server lists them.
 * @param {{name: string}} bot names personal chats.
 * @returns {Array<{title: string, entries: Array}>} chats first, then each team with its channels.
 */
export function sections(conversations, bot) {
  const chats = conversations.filter(({ kind }) => kind !== "channel");
  const teams = new Map();
  for (const conversation of conversations.filter(({ kind }) => kind === "channel")) {
    const name = conversation.team?.name ?? "Team";
    teams.set(name, [...(teams.get(name) ?? []), entry(conversation, bot)]);
  }
  const found = [{ title: "Chats", entries: numbered(chats.map((each) => entry(each, bot))) }];
  for (const [title, entries] of teams) found.push({ title, entries });
  return found.filter(({ entries }) => entries.length > 0);
}

function entry(conversation, bot) {
  const { id, kind } = conversation;
  return { id, conversation, icon: ICONS[kind], name: nameOf(conversation, bot) };
}

function nameOf({ kind, name, channel, bot: own }, bot) {
  if (kind === "personal") return own?.name ?? bot?.name ?? "Bot";
  if (kind === "group") return name || "Group chat";
  return channel?.name ?? "General";
}

/** The teams that have a channel here, each once. */
export function teams(conversations) {
  const byId = new Map();
  for (const { team } of conversations) if (team) byId.set(team.id, team);
  return [...byId.values()];
}

/** Several chats of one name get numbers. */
function numbered(entries) {
  const seen = new Map();
  return entries.map((each) => {
    const count = (seen.get(each.name) ?? 0) + 1;
    seen.set(each.name, count);
    return count === 1 ? each : { ...each, name: `${each.name} (${count})` };
  });
}
