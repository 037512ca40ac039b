"""ConversationReferenceMiddleware: the middleware that keeps where the bot can speak unasked."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from cloud_adapter.codec.channels import tenant_ids
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.references import ConversationReferences

MOST_REMEMBERED = 20_000
"""Users in their conversations, some 100 bytes each."""

_UPDATES = {ActivityTypes.installation_update, ActivityTypes.conversation_update}

log = logging.getLogger(__name__)


class ConversationReferenceMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Keeps the conversation and the users of each activity that a channel delivers.

    The caller check stands before every turn, so no service URL is kept that the bot may not call.
    Messages cost a storage call only when they tell something new. The channel's updates are always
    compared with what is stored: they are rare, and after a removal, of which another process may
    have heard, they bring the conversation back.

    Args:
        references: the store.
    """

    def __init__(self, references: ConversationReferences) -> None:
        self._references = references
        self._known: dict[int, int] = {}

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and keep what it shows.

        Raises:
            StorageUnavailable: what an update tells cannot be kept: it must be delivered again.
        """
        activity = context.activity
        names_bot = activity.recipient is not None and activity.recipient.id
        if activity.delivery_mode == DeliveryModes.expect_replies or not names_bot:
            await logic()
        elif activity.type in _UPDATES:
            await self._update(activity)
            await logic()
        elif activity.type == ActivityTypes.message and self._is_news(activity):
            await self._keep_beside(activity, logic)
        else:
            await logic()

    async def _update(self, activity: Activity) -> None:
        if _removes_bot(activity):
            self._known.clear()  # rare enough; the next messages find all else again
            await self._references.forget(activity)
        else:
            await self._references.keep(activity)
            self._remember(activity)

    async def _keep_beside(self, activity: Activity, logic: Callable[[], Awaitable[None]]) -> None:
        """The user does not wait for the storage account, and hears nothing of its outage."""
        self._remember(activity)  # before it is so: messages that come at once tell nothing more
        keeping = asyncio.create_task(self._keep(activity))
        try:
            await logic()
        finally:
            await keeping

    async def _keep(self, activity: Activity) -> None:
        try:
            await self._references.keep(activity)
        except StorageUnavailable as error:
            self._known.pop(_place(activity), None)
            log.warning("A conversation is not kept, its next message tries again: %s", error)

    def _is_news(self, activity: Activity) -> bool:
        return self._known.get(_place(activity)) != _facts(activity)

    def _remember(self, activity: Activity) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]  # the oldest
        self._known[_place(activity)] = _facts(activity)


def _removes_bot(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "remove")
    bot = activity.recipient.id
    return any(each is not None and each.id == bot for each in activity.members_removed or ())


def _place(activity: Activity) -> int:
    """Of a user in a conversation."""
    user = activity.from_property
    return hash((activity.channel_id, activity.conversation.id, user.id if user else None))


def _facts(activity: Activity) -> int:
    """Of all that is kept."""
    conversation = activity.conversation
    return hash(
        (
            activity.service_url,
            activity.locale,
            conversation.conversation_type,
            conversation.is_group,
            conversation.name,
            tenant_ids(activity),
            _account(activity.from_property),
            _account(activity.recipient),
        )
    )


def _account(account: Any) -> tuple[str, ...] | None:
    return account and (account.id, account.name, account.role, account.aad_object_id)
