"""Stores: what remembers, put together; in the storage account, or in memory."""

from dataclasses import dataclass

from cloud_adapter import (
    blob_storage,
    conversation_lock,
    conversation_references,
    notification_report,
    notifications,
    queued_turns,
    waiting_activity,
)
from cloud_adapter.blob_storage import BlobStorage
from cloud_adapter.blobs import Blobs
from cloud_adapter.bot_state import ConversationState, UserState
from cloud_adapter.conversation_lock import ConversationLocks
from cloud_adapter.conversation_references import ConversationReferences
from cloud_adapter.memory_storage import MemoryStorage
from cloud_adapter.message_queue import MessageQueue
from cloud_adapter.notifications import Notifications
from cloud_adapter.queued_turns import QueuedTurns
from cloud_adapter.storage_account import StorageAccount
from cloud_adapter.waiting_activity import WaitingActivities


@dataclass(frozen=True)
class Stores:
    """What turns remember."""

    locks: ConversationLocks
    conversation_state: ConversationState
    user_state: UserState

    @classmethod
    def of(cls, account: StorageAccount | None) -> "Stores":
        """In an account; None: in memory."""
        if account is None:
            memory = MemoryStorage()
            return cls(ConversationLocks(), ConversationState(memory), UserState(memory))
        storage = BlobStorage(Blobs(account, blob_storage.CONTAINER))
        locks = ConversationLocks(Blobs(account, conversation_lock.CONTAINER))
        return cls(locks, ConversationState(storage), UserState(storage))


@dataclass(frozen=True)
class Stored:
    """What there is with an account only."""

    account: StorageAccount
    queued_turns: QueuedTurns
    references: ConversationReferences
    notifications: Notifications

    @classmethod
    def of(cls, account: StorageAccount, locks: ConversationLocks, *, redact: bool) -> "Stored":
        """In a storage account.

        Args:
            account: the bot's storage account.
            locks: let one turn of a conversation run at a time.
            redact: see QueuedTurns.
        """
        references = ConversationReferences(Blobs(account, conversation_references.CONTAINER))
        turns = QueuedTurns(
            WaitingActivities(Blobs(account, waiting_activity.CONTAINER)),
            MessageQueue(account, queued_turns.QUEUE),
            MessageQueue(account, queued_turns.POISON_QUEUE),
            locks,
            redact=redact,
        )
        told = Notifications(
            references,
            Blobs(account, notification_report.CONTAINER),
            MessageQueue(account, notifications.QUEUE),
            MessageQueue(account, notifications.POISON_QUEUE),
            locks,
        )
        return cls(account, turns, references, told)
