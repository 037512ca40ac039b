"""Reply: an activity that the bot has sent. TurnResult: all that the bot did in one turn."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, overload

from bot_testing.activities.card import Button, buttons_of
from bot_testing.errors import TurnFailure

Activity = dict[str, Any]
"""One activity as JSON of the Bot Framework activity schema."""

CARD = "application/vnd.microsoft.card."
ADAPTIVE_CARD = f"{CARD}adaptive"


class Reply:
    """An activity from the bot.

    Attributes:
        raw: the activity as the channel got it.
    """

    def __init__(self, raw: Activity) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return f"<Reply {self.type}: {self.text or json.dumps(self.raw.get('attachments'))}>"

    @property
    def id(self) -> str:
        """The activity's id."""
        return str(self.raw["id"])

    @property
    def type(self) -> str:
        """`message`, or another type of activity."""
        return str(self.raw["type"])

    @property
    def text(self) -> str:
        """The text; empty if there is none."""
        return self.raw.get("text") or ""

    @property
    def attachments(self) -> list[dict[str, Any]]:
        """The attachments, as JSON."""
        return self.raw.get("attachments") or []

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The content of each attachment that is a card."""
        return [
            each["content"]
            for each in self.attachments
            if str(each.get("contentType")).startswith(CARD)
        ]

    @property
    def card(self) -> dict[str, Any]:
        """The content of the only card.

        Raises:
            TurnFailure: there is no card, or more than one.
        """
        if len(self.cards) != 1:
            raise TurnFailure(f"There are {len(self.cards)} cards in {self!r}")
        return self.cards[0]

    @property
    def suggested_actions(self) -> list[str]:
        """The titles of the suggested actions."""
        actions = (self.raw.get("suggestedActions") or {}).get("actions") or []
        return [str(each.get("title") or "") for each in actions]

    @property
    def buttons(self) -> list[Button]:
        """Every button: those of the cards, then the suggested actions."""
        suggested = (self.raw.get("suggestedActions") or {}).get("actions") or []
        return [*(each for card in self.cards for each in buttons_of(card)), *buttons_of(suggested)]


class TurnResult(Sequence[Reply]):
    """The result of one turn: the bot's replies, and the response to the channel's request.

    Attributes:
        replies: what the bot sent during the turn, without typing and trace activities.
        updated: activities of earlier turns, as the bot has updated them.
        status: the HTTP status of the response; for an invoke, the status that the bot sets.
        body: the parsed JSON of the response, such as an invoke's value; None if it is empty.
        errors: the errors that the bot's code raised.
    """

    def __init__(
        self,
        replies: Sequence[Reply] = (),
        updated: Sequence[Reply] = (),
        status: int = 200,
        body: Any = None,
        errors: Sequence[Exception] = (),
    ) -> None:
        self.replies = list(replies)
        self.updated = list(updated)
        self.status = status
        self.body = body
        self.errors = list(errors)

    def __repr__(self) -> str:
        body = "" if self.body is None else f", body {self.body!r}"
        return f"<TurnResult {self.status}: {self.replies!r}{body}>"

    @overload
    def __getitem__(self, index: int) -> Reply: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Reply]: ...
    def __getitem__(self, index: int | slice) -> Reply | Sequence[Reply]:
        return self.replies[index]

    def __len__(self) -> int:
        return len(self.replies)

    def __iter__(self) -> Iterator[Reply]:
        return iter(self.replies)

    @property
    def texts(self) -> list[str]:
        """The text of each reply."""
        return [each.text for each in self.replies]

    @property
    def card(self) -> dict[str, Any]:
        """The Adaptive Card in the response to an `adaptiveCard/action`.

        Raises:
            TurnFailure: the response is not a card.
        """
        body = self.body if isinstance(self.body, dict) else {}
        if body.get("type") != ADAPTIVE_CARD:
            raise TurnFailure(f"There is no card in {self!r}", self.status)
        card: dict[str, Any] = body["value"]
        return card
