"""Stores: what remembers, put together; in the storage account, or in memory."""

from dataclasses import dataclass

from cloud_adapter.proactive import notifications
from cloud_adapter.proactive import references as conversation_references
from cloud_adapter.proactive import report as notification_report
from cloud_adapter.proactive.notifications import Notifications
from cloud_adapter.proactive.references import ConversationReferences
from cloud_adapter.queued import inbox as waiting_activity
from cloud_adapter.queued import queued_turns
from cloud_adapter.queued.inbox import Inbox
from cloud_adapter.queued.queued_turns import QueuedTurns
from cloud_adapter.state import blob_storage
from cloud_adapter.state import lock as conversation_lock
from cloud_adapter.state.blob_storage import BlobStorage
from cloud_adapter.state.bot_state import ConversationState, UserState
from cloud_adapter.state.lock import ConversationLocks
from cloud_adapter.state.memory_storage import MemoryStorage
from cloud_adapter.storage.account import StorageAccount
from cloud_adapter.storage.blobs import BlobContainer
from cloud_adapter.storage.queue import MessageQueue


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
        storage = BlobStorage(BlobContainer(account, blob_storage.CONTAINER))
        locks = ConversationLocks(BlobContainer(account, conversation_lock.CONTAINER))
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
        references = ConversationReferences(
            BlobContainer(account, conversation_references.CONTAINER)
        )
        turns = QueuedTurns(
            Inbox(BlobContainer(account, waiting_activity.CONTAINER)),
            MessageQueue(account, queued_turns.QUEUE),
            MessageQueue(account, queued_turns.POISON_QUEUE),
            locks,
            redact=redact,
        )
        told = Notifications(
            references,
            BlobContainer(account, notification_report.CONTAINER),
            MessageQueue(account, notifications.QUEUE),
            MessageQueue(account, notifications.POISON_QUEUE),
            locks,
        )
        return cls(account, turns, references, told)
