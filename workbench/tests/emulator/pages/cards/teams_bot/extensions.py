"""The bot's message extension."""

from collections.abc import Callable
from typing import Any

from .cards import HERO, SQUARE, adaptive, attached, hero, submit, text

Json = dict[str, Any]
BOOKS = [f"Book {number}" for number in range(1, 41)]


def result(attachments: list[Json], layout: str = "list") -> Json:
    """Results of an extension."""
    shown = {"type": "result", "attachmentLayout": layout, "attachments": attachments}
    return {"composeExtension": shown}


def query(value: Json) -> Json:
    """Find books; `grid`, `login`, `silent`, `refused` and `wrong` answer otherwise."""
    parameters = {each["name"]: each["value"] for each in value["parameters"]}
    typed = parameters.get("title", "")
    if typed in ("silent", "refused") and "authentication" not in value:
        return sign_in("silentAuth")
    if typed == "silent":
        return result([book("For a token")])
    if typed == "wrong":
        return {"composeExtension": {"type": "result", "attachments": {"title": "no list"}}}
    if typed == "login" and "state" not in value:
        return sign_in("auth")
    if typed == "login":
        return result([book(f"For {value['state']}")])
    skip, count = value["queryOptions"]["skip"], value["queryOptions"]["count"]
    found = [each for each in BOOKS if typed.lower() in each.lower() or typed == "grid"]
    layout = "grid" if typed == "grid" else "list"
    return result([book(each) for each in found[skip : skip + count]], layout)


def sign_in(kind: str) -> Json:
    """A request that the user signs in."""
    return page(kind, "Sign in", "https://example.com/sign-in")


def page(kind: str, title: str, url: str) -> Json:
    """A request that the user opens a page."""
    actions = [{"type": "openUrl", "title": title, "value": url}]
    return {"composeExtension": {"type": kind, "suggestedActions": {"actions": actions}}}


def book(title: str) -> Json:
    """A result; choosing it asks the bot for the card."""
    tap = {"type": "invoke", "value": {"title": title}}
    content = {"title": title, "text": "A novel", "images": [{"url": SQUARE}], "tap": tap}
    return {**hero(title), "preview": {"contentType": HERO, "content": content}}


def select_item(value: Json) -> Json:
    """The card of the chosen book."""
    return result([attached(adaptive(text(f"Chosen: {value['title']}")))])


def fetch_task(value: Json) -> Json:
    """The form of an action; on a message, with its text."""
    quoted = (value.get("messagePayload") or {}).get("body", {}).get("content", "")
    form = adaptive(
        text(f"On {value['commandContext']}: {quoted}"),
        {"type": "Input.Text", "id": "note", "label": "Note", "value": quoted},
        actions=(submit("Insert"), submit("Preview", preview=True)),
    )
    return {"task": {"type": "continue", "value": {"title": "A note", "card": attached(form)}}}


def submit_action(value: Json) -> Json:
    """A card with the note, a preview of it, or what the user chose for the preview."""
    decision = value.get("botMessagePreviewAction")
    if decision == "edit":
        return fetch_task(value)
    if decision == "send":
        return {}
    data = value["data"]
    if value["commandId"] == "lend":
        return result([attached(adaptive(text(f"Lent: {sorted(data.items())}")))])
    note = data["note"]
    card = attached(adaptive(text(f"Note: {note}"), actions=(submit("Done", note=note),)))
    if data.get("preview"):
        activity = {"type": "message", "attachments": [card]}
        return {"composeExtension": {"type": "botMessagePreview", "activityPreview": activity}}
    return result([card])


def query_link(value: Json) -> Json:
    """A card for a link."""
    return result([hero("Unfurled", value["url"])])


def settings(_: Json) -> Json:
    """The settings page."""
    return page("config", "Settings of books", "https://example.com/settings")


def feedback_form(value: Json) -> Json:
    """A feedback form of the bot's own."""
    form = adaptive(
        {"type": "Input.Text", "id": "why", "label": "Why?"}, actions=(submit("Send feedback"),)
    )
    title = f"You chose {value['actionValue']['reaction']}"
    return {"task": {"type": "continue", "value": {"title": title, "card": attached(form)}}}


HANDLERS: dict[str, Callable[[Json], Json]] = {
    "composeExtension/query": query,
    "composeExtension/selectItem": select_item,
    "composeExtension/fetchTask": fetch_task,
    "composeExtension/submitAction": submit_action,
    "composeExtension/queryLink": query_link,
    "composeExtension/querySettingUrl": settings,
    "composeExtension/setting": lambda _: {},
    "composeExtension/onCardButtonClicked": lambda _: {},
    "message/fetchTask": feedback_form,
    "message/submitAction": lambda _: {},
}
