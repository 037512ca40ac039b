import { html } from "/assets/libraries/htm.js";
import { Avatar } from "../shared/avatar.js";
import { Icon, IconButton } from "../shared/icons.js";
import { MenuButton } from "../shared/menu.js";
import { ThemeSwitch } from "../shared/theme_switch.js";
import { MembersMenu } from "./members.js";
import { StatusDot } from "./status.js";

/** Whom the conversation is with, the bot's status, and what can be done here. */
export function ChatHeader({ context }) {
  const { conversation, bot, state, inspector } = context;
  const kind = conversation?.kind ?? "personal";
  const name = title(conversation, bot);
  return html`<header class="chat-header">
    <${IconButton}
      icon="menu"
      class="rail-opener"
      label="Conversations"
      title="Conversations"
      onClick=${context.openRail}
    />
    <${Avatar} id=${conversation?.id} name=${name} kind=${kind === "personal" ? "bot" : kind} />
    <div class="chat-header__names">
      <h1 class="chat-header__title">${name}</h1>
      <${StatusDot} state=${state} />
    </div>
    <div class="chat-header__tools">
      <${MembersMenu} context=${context} />
      <${ThemeSwitch} />
      <${IconButton}
        icon="panel"
        label="Inspector"
        title="Inspector: what happens in each turn"
        aria-pressed=${String(inspector.open)}
        onClick=${inspector.toggle}
      />
      <${MenuButton}
        button=${{ label: "More", content: html`<${Icon} name="more" />` }}
        items=${more(context)}
      />
    </div>
  </header>`;
}

/** A conversation's name; a channel's has its team's. */
function title(conversation, bot) {
  if (!conversation) return bot?.name ?? "Chat";
  if (conversation.kind === "personal") return conversation.bot?.name ?? bot?.name ?? "Bot";
  const { team, channel, name } = conversation;
  return channel ? `${team?.name ?? "Team"} › ${channel.name}` : name || "Group chat";
}

function more(context) {
  const { state, dispatch, facts, openUrl } = context;
  const webChat = () => openUrl(`${location.origin}/webchat`);
  return [
    {
      key: "sso",
      label: "Single sign-on",
      checked: state.singleSignOn,
      run: () => dispatch({ type: "singleSignOn", on: !state.singleSignOn }),
    },
    { line: true },
    ...ofConversation(context),
    { line: true },
    { key: "webchat", label: "Open Web Chat", run: webChat },
    { title: facts.endpoint },
    { title: `Signs in with ${facts.credential}` },
  ];
}

function ofConversation({ api, attempt, conversation, openDialog }) {
  if (!conversation) return [];
  const { kind, installed, blocked, redelivers } = conversation;
  const redelivery = {
    key: "redelivery",
    label: "Deliver again after 15 s",
    checked: redelivers === true,
    run: () => attempt(() => api.redeliver(!redelivers)),
  };
  const install = {
    key: "install",
    label: installed ? "Uninstall the app" : "Install the app",
    run: () => attempt(installed ? api.uninstall : api.install),
    danger: installed,
  };
  if (kind !== "personal") {
    const rename = { key: "rename", label: "Rename", run: () => openDialog({ kind: "rename" }) };
    return [redelivery, rename, install];
  }
  const block = {
    key: "block",
    label: blocked ? "Unblock the bot" : "Block the bot",
    run: () => attempt(() => api.block(!blocked)),
  };
  return [redelivery, block, install];
}
