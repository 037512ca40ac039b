import { html } from "/assets/libraries/htm.js";
import { Avatar } from "../shared/avatar.js";
import { Icon, IconButton } from "../shared/icons.js";
import { MenuButton } from "../shared/menu.js";
import { sections, teams } from "../model/rail_sections.js";

/** The conversations of the user, and who the user is. */
export function ConversationRail({ context, onClose }) {
  const { state, user, bot, openDialog, client } = context;
  const starts = [
    { key: "group", label: "New group chat", run: () => create(context, { kind: "group" }) },
    { key: "team", label: "New team", run: () => create(context, { kind: "channel" }) },
    ...teams(state.conversations).map((team) => ({
      key: team.id,
      label: `New channel in ${team.name}`,
      run: () => openDialog({ kind: "new-channel", team }),
    })),
    { line: true },
    {
      key: "user",
      label: "New user, in a new chat with the bot",
      run: () => client.connect({ user: undefined, conversation: undefined }),
    },
  ];
  return html`<nav class="rail" aria-label="Conversations">
    <div class="rail__head">
      <h2 class="rail__title">Local chat</h2>
      <${MenuButton}
        button=${{ label: "New conversation", content: html`<${Icon} name="add" />` }}
        items=${starts}
      />
      <${IconButton}
        icon="close"
        class="rail__close"
        label="Close the list"
        onClick=${onClose}
      />
    </div>
    <div class="rail__list">
      ${sections(state.conversations, bot).map(
        ({ title, entries }) =>
          html`<div key=${title}>
            <h3 class="rail__section">${title}</h3>
            <ul class="rail__entries">
              ${entries.map(
                (entry) => html`<${RailEntry} key=${entry.id} entry=${entry} context=${context} />`,
              )}
            </ul>
          </div>`,
      )}
    </div>
    ${
      user &&
      html`<div class="rail__user">
        <${Avatar} id=${user.id} name=${user.name} small />
        <span class="rail__user-name"
          ><span class="visually-hidden">Acting as </span>${user.name}</span
        >
      </div>`
    }
  </nav>`;
}

function RailEntry({ entry, context }) {
  const open = entry.id === context.conversation?.id;
  const unread = context.state.unread[entry.id] ?? 0;
  return html`<li>
    <button
      type="button"
      class="rail__entry"
      aria-current=${open ? "page" : undefined}
      onClick=${() => context.openConversation(entry.conversation)}
    >
      <${Avatar} id=${entry.id} name=${entry.name} kind=${entry.icon} small />
      <span class="rail__name">${entry.name}</span>
      ${
        unread > 0 &&
        html`<span class="badge">${unread}<span class="visually-hidden"> unread</span></span>`
      }
    </button>
  </li>`;
}

/** Create a conversation, and open it. */
export async function create(context, body) {
  const { api, attempt, openConversation } = context;
  const conversation = await attempt(() => api.createConversation(body));
  if (conversation) openConversation(conversation);
  return conversation;
}
