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
 * The calls for the conversation that is open. Those that a person makes before the session has
 * begun wait for it.
 *
 * @param {() => Promise<{user: object, conversation: object}>} opened resolves to who acts, and
 *   where, once the session has begun.
 */
export function chatApi(opened) {
  const timezone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
  const byUser = (user) => ({ user });
  const inside = async (method, rest, body = byUser) => {
    const { user, conversation } = await opened();
    return request(method, `${pathOf(conversation)}${rest}`, body(user.id));
  };
  const activity = (id, rest = "") => `/activities/${encodeURIComponent(id)}${rest}`;
  return {
    session: (kept) => request("POST", "/session", kept),
    app: () => request("GET", "/app"),
    conversation: (id) => request("GET", pathOf({ id })),
    conversations: (id) => request("GET", `/conversations?user=${encodeURIComponent(id)}`),
    createConversation: async (body) => {
      const { user } = await opened();
      return request("POST", "/conversations", { user: user.id, ...body });
    },
    send: (sent, more = {}) =>
      inside("POST", "/activities", (user) => ({
        user,
        timezone: timezone(),
        activity: sent,
        ...more,
      })),
    edit: (id, sent) => inside("PUT", activity(id), (user) => ({ user, activity: sent })),
    remove: (id) => inside("DELETE", activity(id)),
    undelete: (id) => inside("POST", activity(id, "/undelete")),
    stopStream: (id) => inside("POST", activity(id, "/stop")),
    retry: (id) => inside("POST", activity(id, "/retry")),
    react: (id, type, add) =>
      inside("POST", activity(id, "/reactions"), (user) => ({ user, type, add })),
    typing: () => inside("POST", "/typing"),
    invoke: (invoke) =>
      inside("POST", "/invoke", (user) => ({ user, timezone: timezone(), ...invoke })),
    upload: (files, fields = {}) =>
      inside("POST", "/files", (user) => formOf(files, { user, timezone: timezone(), ...fields })),
    addMember: (member) => inside("POST", "/members", (user) => ({ by: user, ...member })),
    removeMember: async (id) => {
      const { user, conversation } = await opened();
      const member = `${pathOf(conversation)}/members/${encodeURIComponent(id)}`;
      return request("DELETE", `${member}?by=${encodeURIComponent(user.id)}`);
    },
    rename: (name) => inside("PATCH", "", (user) => ({ user, name })),
    block: (blocked) => inside("POST", blocked ? "/block" : "/unblock"),
    redeliver: (on) => inside("POST", "/redelivery", (user) => ({ user, on })),
    install: () => inside("POST", "/install"),
    uninstall: () => inside("POST", "/uninstall"),
  };
}

function pathOf({ id }) {
  return `/conversations/${encodeURIComponent(id)}`;
}

function formOf(files, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value) form.append(name, value);
  }
  for (const file of files) form.append("file", file, file.name);
  return form;
}
