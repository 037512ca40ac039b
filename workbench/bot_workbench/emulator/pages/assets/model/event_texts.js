/** What the message list says of activities that are no messages. */

function names(accounts) {
  return accounts.map(({ name, id }) => name ?? id).join(", ");
}

/**
 * A line for an event; empty for one that people do not see.
 *
 * @param {object} activity of any other type than message and typing.
 * @param {string} user id of who reads.
 */
export function eventText(activity, user) {
  if (activity.type === "installationUpdate") {
    if (activity.action?.startsWith("remove")) return "The app was uninstalled";
    return activity.action === "add-upgrade" ? "The app was updated" : "The app was installed";
  }
  if (activity.type !== "conversationUpdate") return "";
  const isPerson = ({ id }) => id !== user && !String(id).startsWith("28:");
  const added = (activity.membersAdded ?? []).filter(isPerson);
  const removed = (activity.membersRemoved ?? []).filter(isPerson);
  const { eventType } = activity.channelData ?? {};
  if (added.length > 0) return `${names(added)} joined`;
  if (removed.length > 0) return `${names(removed)} left`;
  if (activity.topicName) return `The chat is now called “${activity.topicName}”`;
  if (eventType === "channelRenamed") {
    return `The channel is now called “${activity.channelData.channel?.name ?? ""}”`;
  }
  if (eventType === "teamRenamed") {
    return `The team is now called “${activity.channelData.team?.name ?? ""}”`;
  }
  return "";
}
