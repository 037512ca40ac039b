"""ConversationReferenceMiddleware: stores where the bot can send proactive messages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from botbuilder.core import Middleware, TurnContext
from botbuilder.schema import Activity, ActivityTypes, DeliveryModes

from cloud_adapter.codec.channels import is_from_bot, tenant_ids
from cloud_adapter.deadlines import START_SECONDS, StartLimit, arrival
from cloud_adapter.errors import StorageUnavailable
from cloud_adapter.proactive.references import ConversationReferences

MAX_CACHED = 20_000
"""Pairs of user and conversation that are known to be stored, of some 100 bytes each."""

_UPDATES = {ActivityTypes.installation_update, ActivityTypes.conversation_update}

log = logging.getLogger(__name__)


class ConversationReferenceMiddleware(Middleware):  # type: ignore[misc]  # untyped SDK base
    """Stores the conversation and the users of each activity that a channel delivers.

    It runs after the caller was authorized, so every service URL that it stores is one that the bot
    may call. A message causes storage calls only when it shows something new. Updates (the bot or a
    user was added or removed) are rare and always compared with storage: another process may have
    handled a removal that this one does not know of.

    Args:
        references: the store.
        max_cached: pairs of user and conversation that are remembered as stored.
    """

    def __init__(self, references: ConversationReferences, max_cached: int = MAX_CACHED) -> None:
        self._references = references
        self._max_cached = max_cached
        self._stored: dict[int, int] = {}
        self._storing: set[asyncio.Task[None]] = set()

    async def on_turn(self, context: TurnContext, logic: Callable[[], Awaitable[None]]) -> None:
        """Run the turn, and store what its activity shows.

        Raises:
            StorageUnavailable, StartTimedOut: an update cannot be stored, or not in time; the
                channel must deliver it again.
        """
        activity = context.activity
        names_bot = activity.recipient is not None and activity.recipient.id
        # A parent bot may name any user of any channel, and a skill can write only through it.
        if not names_bot or is_from_bot(activity) or _expects_replies(activity):
            await logic()
        elif activity.type in _UPDATES:
            with StartLimit(arrival(context), "storing an update in the storage account"):
                await self._store_update(activity)
            await logic()
        elif activity.type == ActivityTypes.message and self._is_new(activity):
            await self._store_during(context, logic)
        else:
            await logic()

    async def _store_update(self, activity: Activity) -> None:
        if _removes_bot(activity):
            self._stored.clear()  # rare; the next messages fill it again
            await self._references.remove(activity)
        else:
            await self._references.store(activity)
            self._remember(activity)

    async def _store_during(
        self, context: TurnContext, logic: Callable[[], Awaitable[None]]
    ) -> None:
        """Store during the turn: the user waits for no storage call, and notices no outage.

        If it takes longer than the channel waits, it goes on behind the answer.
        """
        activity, arrived_at = context.activity, arrival(context)
        self._remember(activity)  # before it is true, so that messages sent at once are not stored
        storing = asyncio.create_task(self._store(activity))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        try:
            await logic()
        finally:
            left = None
            if arrived_at is not None:
                left = max(0, arrived_at + START_SECONDS - asyncio.get_running_loop().time())
            await asyncio.wait({storing}, timeout=left)

    async def _store(self, activity: Activity) -> None:
        try:
            await self._references.store(activity)
        except StorageUnavailable as error:
            self._stored.pop(_key(activity), None)
            log.warning(
                "A conversation reference is not stored; its next message tries again: %s", error
            )

    def _is_new(self, activity: Activity) -> bool:
        return self._stored.get(_key(activity)) != _fingerprint(activity)

    def _remember(self, activity: Activity) -> None:
        if len(self._stored) >= self._max_cached:
            del self._stored[next(iter(self._stored))]  # the oldest
        self._stored[_key(activity)] = _fingerprint(activity)


def _expects_replies(activity: Activity) -> bool:
    return bool(activity.delivery_mode == DeliveryModes.expect_replies)


def _removes_bot(activity: Activity) -> bool:
    if activity.type == ActivityTypes.installation_update:
        return bool(activity.action == "remove")
    bot = activity.recipient.id
    return any(each is not None and each.id == bot for each in activity.members_removed or ())


def _key(activity: Activity) -> int:
    """Identifies a user in a conversation."""
    user = activity.from_property
    return hash((activity.channel_id, activity.conversation.id, user.id if user else None))


def _fingerprint(activity: Activity) -> int:
    """Changes whenever the records of the activity would."""
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
