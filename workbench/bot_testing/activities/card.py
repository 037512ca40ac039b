"""Button: a button that a user can press, and the activity that it sends.

Rules: Microsoft references "Card actions", "Adaptive Card actions in Teams" and "Universal Actions
for Adaptive Cards"; SubmitAction of the npm package adaptivecards.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot_testing.errors import ChatMistake

EXECUTE = "adaptiveCard/action"
TEAMS = "msteams"
TASK_FETCH = "task/fetch"

_NOT_SENT = {
    "openUrl": "opens {value} in a browser",
    "downloadFile": "downloads {value}",
    "showImage": "shows {value}",
    "playAudio": "plays {value}",
    "playVideo": "plays {value}",
    "call": "calls {value}",
    "signin": "opens the sign-in page; use `chat.sign_in(reply)`",
    "Action.OpenUrl": "opens {url} in a browser",
    "Action.ShowCard": "shows more of the card; press the button in there",
    "Action.ToggleVisibility": "shows or hides a part of the card",
}
"""The actions that a client performs itself, without sending the bot an activity."""


@dataclass(frozen=True)
class Button:
    """A button of a card, or a suggested action.

    Attributes:
        title: its text.
        type: `imBack`, `Action.Submit`, ...
        raw: its JSON.
        inputs: the JSON of the inputs whose values it sends: those of its card, and of the cards
            around it.
    """

    title: str
    type: str
    raw: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]] = ()

    def activity(self, channel: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The content of the activity that the button sends.

        Args:
            channel: the channel's id. (Teams has actions of its own.)
            inputs: what the user has entered, by the ids of the card's inputs.

        Raises:
            ChatMistake: the button sends no activity, or the card has no such input.
        """
        if self.type in _NOT_SENT:
            what = _NOT_SENT[self.type].format_map({"value": "", "url": "", **self.raw})
            raise ChatMistake(f"The button {self.title!r} sends nothing to the bot: it {what}.")
        if self.type in ("Action.Submit", "Action.Execute"):
            return self._adaptive(channel, self._values(inputs))
        if inputs:
            raise ChatMistake(f"The card of the button {self.title!r} has no inputs.")
        return self._card_action(channel, self.raw)

    def _values(self, given: Mapping[str, Any]) -> dict[str, str]:
        """The inputs' values. As in the clients, they are strings, and empty ones are left out."""
        fields = {str(each["id"]): each for each in self.inputs if each.get("id")}
        if unknown := given.keys() - fields.keys():
            raise ChatMistake(f"The card has no input {sorted(unknown)}: it has {sorted(fields)}.")
        if str(self.raw.get("associatedInputs", "")).lower() == "none":
            return {}
        values = {name: _entered(field, given.get(name)) for name, field in fields.items()}
        for name, field in fields.items():
            if field.get("isRequired") and not values[name]:
                raise ChatMistake(f"The client sends nothing: the input {name!r} is required.")
        return {name: text for name, text in values.items() if text}

    def _adaptive(self, channel: str, values: dict[str, str]) -> dict[str, Any]:
        data = self.raw.get("data")
        if isinstance(data, dict) or data is None:
            data = {**(data or {}), **values}
        if self.type == "Action.Execute":
            names = ("type", "id", "verb")
            action = {name: self.raw[name] for name in names if name in self.raw}
            value = {"action": {**action, "data": data}, "trigger": "manual"}
            return {"type": "invoke", "name": EXECUTE, "value": value}
        if channel == TEAMS and isinstance(data, dict) and isinstance(data.get("msteams"), dict):
            teams = data["msteams"]
            if teams.get("type") == TASK_FETCH:
                return _task_fetch(data)
            rest = {name: each for name, each in data.items() if name != "msteams"}
            value = _parsed(teams.get("value"))
            if teams.get("type") == "messageBack" and (value is None or isinstance(value, dict)):
                teams = {**teams, "value": {**rest, **(value or {})}}
            return self._card_action(channel, teams)
        return {"type": "message", "value": data}

    def _card_action(self, channel: str, action: Mapping[str, Any]) -> dict[str, Any]:
        kind, value = action.get("type"), action.get("value")
        if kind in ("imBack", "postBack"):
            # Clients send a string as text (hidden, for a postBack), and an object as value.
            return {"type": "message", "text" if isinstance(value, str) else "value": value}
        if kind == "messageBack":
            shown = action.get("displayText")
            back = {"type": "message", "text": action.get("text"), "value": value}
            if channel == TEAMS:  # it keeps displayText to itself
                back["value"] = _parsed(value)
            elif shown:
                back["channelData"] = {"messageBack": {"displayText": shown}}
            return {name: each for name, each in back.items() if each is not None}
        if kind == "invoke":
            sent = json.loads(value) if isinstance(value, str) else value
            if channel == TEAMS and isinstance(sent, dict) and sent.get("type") == TASK_FETCH:
                return _task_fetch(sent)
            return {"type": "invoke", "value": sent}
        raise ChatMistake(
            f"The button {self.title!r} has the type {kind!r}, which clients do not support."
        )


def _parsed(value: Any) -> Any:
    """JSON text as what it means, and any other value as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _task_fetch(data: Mapping[str, Any]) -> dict[str, Any]:
    value = {"data": dict(data), "context": {"theme": "default"}}
    return {"type": "invoke", "name": TASK_FETCH, "value": value}


def _entered(field: Mapping[str, Any], given: Any) -> str:
    """The value of an input: what was entered, or else the card's default."""
    value = field.get("value") if given is None else given
    if field.get("type") == "Input.Toggle":
        on, off = field.get("valueOn", "true"), field.get("valueOff", "false")
        return str(on if value is True or value == on else off)
    return "" if value is None else str(value)


def refresh_activity(card: Mapping[str, Any], user_id: str) -> dict[str, Any]:
    """The content of the activity with which a client refreshes a card for a user.

    Raises:
        ChatMistake: the card has no `refresh`, or not for this user.
    """
    refresh = card.get("refresh") or {}
    action = refresh.get("action")
    if not action or user_id not in refresh.get("userIds", [user_id]):
        raise ChatMistake(f"The card does not refresh itself for this user: {refresh}.")
    invoke = Button("", "Action.Execute", action).activity("", {})
    invoke["value"]["trigger"] = "automatic"
    return invoke


def buttons_of(card: Any, outer: Sequence[Mapping[str, Any]] = ()) -> list[Button]:
    """Every button of a card, or of a list of actions, in the order of the JSON.

    Args:
        card: the JSON.
        outer: the inputs of the cards around it.
    """
    found = list(_objects(card))
    inputs = [*outer, *(each for each in found if str(each.get("type")).startswith("Input."))]
    buttons = []
    for each in found:
        if _is_button(each):
            buttons.append(Button(str(each.get("title") or ""), str(each["type"]), each, inputs))
        if each.get("type") == "Action.ShowCard":
            buttons += buttons_of(each.get("card"), inputs)
    return buttons


def _is_button(found: Mapping[str, Any]) -> bool:
    kind = found.get("type")
    if not isinstance(kind, str):
        return False
    if kind == "messageBack" or kind.startswith("Action."):  # their other properties are optional
        return True
    return "value" in found and kind in _CARD_ACTIONS


_CARD_ACTIONS = {"imBack", "postBack", "invoke"} | {
    kind for kind in _NOT_SENT if not kind.startswith("Action.")
}


def _objects(found: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a card, except in what buttons send or show, and in the card's `refresh`."""
    if isinstance(found, list):
        for each in found:
            yield from _objects(each)
    elif isinstance(found, dict):
        yield found
        for name, each in found.items():
            if name not in ("data", "value", "refresh", "msteams", "card"):
                yield from _objects(each)
