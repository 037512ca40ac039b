"""The cards that the bot sends."""

from typing import Any

ADAPTIVE = "application/vnd.microsoft.card.adaptive"
HERO = "application/vnd.microsoft.card.hero"
SQUARE = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI4MCIg"
    "aGVpZ2h0PSI4MCI+PHJlY3Qgd2lkdGg9IjgwIiBoZWlnaHQ9IjgwIiBmaWxsPSIjNGE4Ii8+PC9zdmc+"
)
Json = dict[str, Any]


def adaptive(*body: Json, actions: tuple[Json, ...] = (), **more: Any) -> Json:
    """An Adaptive Card's JSON."""
    card = {"type": "AdaptiveCard", "version": "1.5", "body": list(body)}
    return {**card, "actions": list(actions), **more}


def attached(card: Json) -> Json:
    """The card as an attachment."""
    return {"contentType": ADAPTIVE, "content": card}


def text(words: str, **more: Any) -> Json:
    """A TextBlock."""
    return {"type": "TextBlock", "text": words, "wrap": True, **more}


def submit(title: str, **data: Any) -> Json:
    """An Action.Submit."""
    return {"type": "Action.Submit", "title": title, "data": data}


def execute(title: str, verb: str, **data: Any) -> Json:
    """An Action.Execute."""
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": data}


MENTION = {"type": "mention", "text": "<at>ada</at>", "mentioned": {"id": "29:ada", "name": "Ada"}}

FORM = adaptive(
    text("Expense of <at>ada</at>", style="heading"),
    text("**Please** check [the rules](https://example.com/rules) <b>first</b>."),
    {"type": "FactSet", "facts": [{"title": "Amount", "value": "120 EUR"}]},
    {
        "type": "Input.Text",
        "id": "reason",
        "label": "Reason",
        "isRequired": True,
        "errorMessage": "A reason is needed.",
    },
    {"type": "Input.Date", "id": "day", "label": "Day"},
    {
        "type": "Input.ChoiceSet",
        "id": "color",
        "label": "Color",
        "value": "r",
        "choices": [{"title": "Red", "value": "r"}, {"title": "Blue", "value": "b"}],
    },
    {
        "type": "Input.ChoiceSet",
        "id": "package",
        "label": "Package",
        "style": "filtered",
        "choices": [],
        "choices.data": {"type": "Data.Query", "dataset": "packages"},
    },
    actions=(
        {**execute("Approve", "approve", order=7), "style": "positive"},
        submit("Reject", decision="no"),
        submit("Shout", msteams={"type": "messageBack", "text": "loud", "displayText": "Shouted"}),
        {
            "type": "Action.ShowCard",
            "title": "Comment",
            "card": adaptive(text("A comment is welcome.")),
        },
    ),
    msteams={"entities": [MENTION]},
)

LAYOUTS = adaptive(
    {
        "type": "Table",
        "firstRowAsHeader": True,
        "columns": [{"width": 1}, {"width": 2}],
        "rows": [
            {
                "type": "TableRow",
                "cells": [{"type": "TableCell", "items": [text(each)]} for each in row],
            }
            for row in (("Name", "Value"), ("speed", "42"))
        ],
    },
    {"type": "Unknown", "fallback": text("A fallback")},
    {"type": "Container", "id": "more", "isVisible": False, "items": [text("Hidden before")]},
    actions=(
        {"type": "Action.ToggleVisibility", "title": "Reveal", "targetElements": ["more"]},
        {"type": "Action.OpenUrl", "title": "Script", "url": "javascript:alert(1)"},
    ),
    msteams={"width": "full"},
)

DIALOG_BUTTONS = adaptive(
    text("Dialogs"),
    actions=tuple(
        submit(title, msteams={"type": "task/fetch"}, dialog=dialog)
        for title, dialog in (
            ("Book a room", "card"),
            ("Open a page", "page"),
            ("Wrong answer", "wrong"),
            ("Unhandled", "unhandled"),
            ("Another bot", "other"),
        )
    ),
)

PLAIN = adaptive(
    {"type": "Input.Text", "id": "note", "label": "Note"},
    actions=({"type": "Action.Submit", "title": "Send a text", "data": "only this"},),
)

ROOM_FORM = adaptive(
    {"type": "Input.Text", "id": "room", "label": "Room"},
    actions=(submit("Book", step="room"), submit("Fail", step="fail")),
)

TIME_FORM = adaptive(
    {"type": "Input.Time", "id": "time", "label": "Time"},
    actions=(submit("Confirm", step="time"),),
)


def shared_view(user: str, count: int) -> Json:
    """A card that refreshes itself for one user."""
    return adaptive(
        text(f"Seen {count} times"),
        actions=(execute("Sign in", "sign in"), execute("Say", "say"), execute("Fail", "fail")),
        refresh={"action": execute("Refresh", "refresh"), "userIds": [user]},
    )


def hero(title: str, subtitle: str = "", **more: Any) -> Json:
    """A hero card as an attachment."""
    content = {"title": title, "subtitle": subtitle, **more}
    return {"contentType": HERO, "content": content}


OTHERS: list[Json] = [
    {
        "contentType": "application/vnd.microsoft.card.thumbnail",
        "content": {"title": "A thumbnail", "images": [{"url": SQUARE, "alt": "A square"}]},
    },
    {
        "contentType": "application/vnd.microsoft.card.receipt",
        "content": {
            "title": "A receipt",
            "items": [{"title": "Soup", "price": "4 EUR", "quantity": "2"}],
            "total": "8 EUR",
        },
    },
    {
        "contentType": "application/vnd.microsoft.card.animation",
        "content": {"title": "An animation", "media": [{"url": "https://example.com/a.gif"}]},
    },
    {
        "contentType": "application/vnd.microsoft.teams.card.list",
        "content": {
            "title": "A list",
            "items": [
                {
                    "type": "resultItem",
                    "icon": SQUARE,
                    "title": "A row",
                    "subtitle": "Press it",
                    "tap": {"type": "imBack", "value": "row"},
                },
                {"type": "section", "title": "A section"},
            ],
        },
    },
    {
        "contentType": "application/vnd.microsoft.teams.card.o365connector",
        "content": {"title": "A connector card"},
    },
    {"contentType": ADAPTIVE},
]
