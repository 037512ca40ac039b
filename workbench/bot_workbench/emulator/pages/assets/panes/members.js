import { html } from "/assets/libraries/htm.js";
import { Icon } from "../shared/icons.js";
import { MenuButton } from "../shared/menu.js";

/** Who is in the conversation: act as one of them, add and remove. */
export function MembersMenu({ context }) {
  const { conversation, user, api, attempt, actAs } = context;
  if (!conversation) return null;
  const members = conversation.members ?? [];
  const group = conversation.kind !== "personal";
  const content = html`<${Icon}
      name="people"
    />${group && html`<span class="count">${members.length}</span>`}`;
  const acting = members.map((member) => ({
    key: `as-${member.id}`,
    label: member.name,
    checked: member.id === user?.id,
    run: () => actAs(member),
  }));
  const people = context.state.people.filter(({ id }) => !members.some((each) => each.id === id));
  const adding = people.map((person) => ({
    key: `add-${person.id}`,
    label: `Add ${person.name}`,
    run: () => attempt(() => api.addMember({ user: person.id })),
  }));
  const removing = members.map((member) => ({
    key: `remove-${member.id}`,
    label: `Remove ${member.name}`,
    danger: true,
    run: () => attempt(() => api.removeMember(member.id)),
  }));
  const addAndAct = {
    key: "new",
    label: "Add a new user",
    run: () => attempt(() => api.addMember({ new: true })),
  };
  const items = [{ title: "Act as" }, ...acting];
  if (group) items.push({ line: true }, { title: "Members" }, addAndAct, ...adding, ...removing);
  const count = group ? `${members.length} member${members.length === 1 ? "" : "s"}` : "Members";
  const label = `${count}, acting as ${user?.name ?? "nobody"}`;
  return html`<${MenuButton}
    button=${{ label, content, className: "icon-button members-button" }}
    items=${items}
  />`;
}
