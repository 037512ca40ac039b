/** Calls the local cloud: what a person does in a conversation. */

/** The local cloud, or the bot behind it, refused something. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The local cloud cannot be reached: it is restarting, or was stopped. */
export class UnreachableError extends ApiError {
  constructor() {
    super(0, "The local cloud cannot be reached.");
  }
}

async function request(method, path, body = undefined) {
  const isForm = body instanceof FormData;
  const headers = body === undefined || isForm ? {} : { "Content-Type": "application/json" };
  const content = isForm || body === undefined ? body : JSON.stringify(body);
  let response;
  try {
    response = await fetch(`/api/chat${path}`, { method, headers, body: content });
  } catch {
    throw new UnreachableError();
  }
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, errorText(response, text));
  return text === "" ? {} : JSON.parse(text);
}

function errorText({ status }, text) {
  try {
    const { error, message } = JSON.parse(text);
    return error?.message ?? message ?? `The local cloud answered ${status}.`;
  } catch {
    return `The local cloud answered ${status}.`;
  }
}

/**
 * The calls for the conversation that is open.
 *
 * @param {() => {user: object, conversation: object}} current who acts, and where.
 */
export function chatApi(current) {
  const user = () => current().user.id;
  const acting = () => ({
    user: user(),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const inside = (rest) => `/conversations/${encodeURIComponent(current().conversation.id)}${rest}`;
  const activity = (id, rest = "") => inside(`/activities/${encodeURIComponent(id)}${rest}`);
  return {
    session: (kept) => request("POST", "/session", kept),
    app: () => request("GET", "/app"),
    conversation: (id) => request("GET", `/conversations/${encodeURIComponent(id)}`),
    conversations: (id) => request("GET", `/conversations?user=${encodeURIComponent(id)}`),
    createConversation: (body) => request("POST", "/conversations", { user: user(), ...body }),
    send: (sent, more = {}) =>
      request("POST", inside("/activities"), { ...acting(), activity: sent, ...more }),
    edit: (id, sent) => request("PUT", activity(id), { user: user(), activity: sent }),
    remove: (id) => request("DELETE", activity(id), { user: user() }),
    undelete: (id) => request("POST", activity(id, "/undelete"), { user: user() }),
    stopStream: (id) => request("POST", activity(id, "/stop"), { user: user() }),
    retry: (id) => request("POST", activity(id, "/retry"), { user: user() }),
    react: (id, type, add) =>
      request("POST", activity(id, "/reactions"), { user: user(), type, add }),
    typing: () => request("POST", inside("/typing"), { user: user() }),
    invoke: (invoke) => request("POST", inside("/invoke"), { ...acting(), ...invoke }),
    upload: (files, fields = {}) => {
      const form = new FormData();
      for (const [name, value] of Object.entries({ ...acting(), ...fields })) {
        if (value) form.append(name, value);
      }
      for (const file of files) form.append("file", file, file.name);
      return request("POST", inside("/files"), form);
    },
    addMember: (member) => request("POST", inside("/members"), { by: user(), ...member }),
    removeMember: (id) =>
      request(
        "DELETE",
        inside(`/members/${encodeURIComponent(id)}?by=${encodeURIComponent(user())}`),
      ),
    rename: (name) => request("PATCH", inside(""), { user: user(), name }),
    block: (blocked) => request("POST", inside(blocked ? "/block" : "/unblock"), { user: user() }),
    install: () => request("POST", inside("/install"), { user: user() }),
    uninstall: () => request("POST", inside("/uninstall"), { user: user() }),
  };
}
