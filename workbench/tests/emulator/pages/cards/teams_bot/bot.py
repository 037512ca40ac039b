"""TeamsBot: answers messages by what they say, and everything that Teams may ask."""

from typing import Any

from botbuilder.core import MessageFactory, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import (
    Activity,
    AdaptiveCardInvokeResponse,
    AdaptiveCardInvokeValue,
    Attachment,
    InvokeResponse,
)

from . import extensions
from .cards import (
    ADAPTIVE,
    DIALOG_BUTTONS,
    FORM,
    LAYOUTS,
    OTHERS,
    PLAIN,
    ROOM_FORM,
    TIME_FORM,
    adaptive,
    attached,
    hero,
    shared_view,
    text,
)

MESSAGE = "application/vnd.microsoft.activity.message"
SEARCH_RESPONSE = "application/vnd.microsoft.search.searchResponse"
PACKAGES = {"Fluent UI": "fluent", "Flask": "flask", "FastAPI": "fastapi"}
Json = dict[str, Any]


class TeamsBot(TeamsActivityHandler):  # type: ignore[misc]  # the SDK has no types
    """Shows the card that a message names.

    Args:
        resource: what single sign-on gives tokens for (URI).
    """

    def __init__(self, resource: str) -> None:
        super().__init__()
        self._seen = 0
        self._oauth_card = {
            **OAUTH_CARD,
            "tokenExchangeResource": {"id": "exchange-1", "uri": resource},
        }

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Send what the message names; say what a card has sent."""
        activity = turn_context.activity
        if activity.value is not None:
            value = activity.value
            shown = sorted(value.items()) if isinstance(value, dict) else value
            said = f"Value: {shown}, text: {activity.text}"
            await turn_context.send_activity(said)
            return
        name, _, rest = str(activity.text or "").partition(" ")
        if name == "dialog":
            await turn_context.send_activity(self._message([attached(page_button(rest))]))
        elif name == "rate":
            custom = {"feedbackLoop": {"type": "custom"}}
            await turn_context.send_activity(
                Activity(type="message", text="Please rate this.", channel_data=custom)
            )
        elif attachments := self._attachments(name, activity):
            reply = self._message(attachments)
            reply.attachment_layout = "carousel" if name == "carousel" else "list"
            await turn_context.send_activity(reply)
        else:
            kinds = [each.content_type for each in activity.attachments or []]
            await turn_context.send_activity(f"You sent {activity.text} {kinds}")

    def _attachments(self, name: str, activity: Activity) -> list[Json]:
        known: dict[str, list[Json]] = {
            "form": [attached(FORM)],
            "layouts": [attached(LAYOUTS)],
            "new": [attached({**FORM, "version": "9.0", "fallbackText": "Too new"})],
            "dialogs": [attached(DIALOG_BUTTONS)],
            "plain": [attached(PLAIN)],
            "view": [attached(shared_view(activity.from_property.id, 0))],
            "others": OTHERS,
            "carousel": [hero("One"), hero("Two"), hero("Three")],
        }
        return known.get(name, [])

    @staticmethod
    def _message(attachments: list[Json]) -> Activity:
        return MessageFactory.list(
            [
                Attachment(content_type=each["contentType"], content=each.get("content"))
                for each in attachments
            ]
        )

    async def on_adaptive_card_invoke(
        self, turn_context: TurnContext, invoke_value: AdaptiveCardInvokeValue
    ) -> AdaptiveCardInvokeResponse:
        """Answer an Action.Execute by its verb."""
        action: Any = invoke_value.action
        sent = turn_context.activity.value
        user = turn_context.activity.from_property.id
        verb, data = action["verb"], action.get("data") or {}
        if verb == "approve":
            card = adaptive(text(f"Approved: {data['reason']}, {data.get('package')}"))
            return answer(200, ADAPTIVE, card)
        if verb == "refresh":
            self._seen += 1
            return answer(200, ADAPTIVE, shared_view(user, self._seen))
        if verb == "sign in" and "authentication" not in sent and "state" not in sent:
            return answer(401, "application/vnd.microsoft.activity.loginRequest", self._oauth_card)
        if verb == "sign in":
            how = "a token" if "authentication" in sent else f"the code {sent['state']}"
            return answer(200, ADAPTIVE, adaptive(text(f"Signed in with {how}")))
        error = {"code": "BadRequest", "message": "Nothing to do"}
        return answer(400, "application/vnd.microsoft.error", error)

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """Answer what the SDK has no method for."""
        activity = turn_context.activity
        if activity.name == "application/search":
            typed = activity.value["queryText"].lower()
            found = [
                {"title": title, "value": value}
                for title, value in PACKAGES.items()
                if typed in title.lower()
            ]
            results = {"type": SEARCH_RESPONSE, "value": {"results": found}}
            return InvokeResponse(status=200, body=results)
        if activity.name == "adaptiveCard/action" and activity.value["action"]["verb"] == "say":
            # The SDK's own class for the answer cannot hold a text.
            said = {"statusCode": 200, "type": MESSAGE, "value": "Said."}
            return InvokeResponse(status=200, body=said)
        if activity.name == "task/fetch":
            return await self._task(activity.value["data"])
        if activity.name == "task/submit":
            return await self._submitted(turn_context, activity.value["data"])
        if is_refused(activity):
            return InvokeResponse(status=412)
        handler = extensions.HANDLERS.get(str(activity.name))
        if handler is not None:
            return InvokeResponse(status=200, body=handler(activity.value))
        return await super().on_invoke_activity(turn_context)

    @staticmethod
    async def _task(data: Json) -> InvokeResponse:
        pages: dict[str, Json] = {
            "card": {"title": "Book a room", "width": 400, "height": 250},
            "page": {"title": "A page", "width": "medium", "height": "small"},
            "other": {"title": "For another bot", "completionBotId": "another"},
        }
        dialog = data["dialog"]
        if dialog == "unhandled":
            return InvokeResponse(status=501)
        if dialog == "wrong":
            return InvokeResponse(status=200, body={"task": {"type": "open"}})
        content: Json = {"url": data["url"]} if "url" in data else {"card": attached(ROOM_FORM)}
        task = {"type": "continue", "value": {**pages[dialog], **content}}
        return InvokeResponse(status=200, body={"task": task})

    @staticmethod
    async def _submitted(turn_context: TurnContext, data: Json) -> InvokeResponse:
        if data.get("step") == "fail":
            return InvokeResponse(status=500)
        if data.get("step") == "room":
            form: Json = {"title": f"When in {data['room']}?", "card": attached(TIME_FORM)}
            return InvokeResponse(status=200, body={"task": {"type": "continue", "value": form}})
        await turn_context.send_activity(f"Submitted: {sorted(data.items())}")
        return InvokeResponse(status=200, body={"task": {"type": "message", "value": "Thanks."}})


SIGN_IN_LINK = "https://example.com/api/oauth/signin?signin=1"
OAUTH_CARD = {
    "text": "Please sign in to go on.",
    "connectionName": "graph",
    "buttons": [{"type": "signin", "title": "Sign in", "value": SIGN_IN_LINK}],
}


def answer(status: int, kind: str, value: object) -> AdaptiveCardInvokeResponse:
    """What the bot answers to an Action.Execute."""
    return AdaptiveCardInvokeResponse(status_code=status, type=kind, value=value)


def is_refused(activity: Activity) -> bool:
    """Whether the bot refuses the token that a search has."""
    value = activity.value
    return "authentication" in value and "refused" in str(value.get("parameters"))


def page_button(url: str) -> Json:
    """A card that opens a page in a dialog."""
    data = {"msteams": {"type": "task/fetch"}, "dialog": "page", "url": url}
    action = {"type": "Action.Submit", "title": "Open a page", "data": data}
    return adaptive(text("A page"), actions=(action,))
