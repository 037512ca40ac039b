"""Fixtures of the tests of queued turns: processes over one account, and its queues."""

import pytest

from cloud_adapter.queued.queued_turns import POISON_QUEUE, QUEUE
from cloud_adapter.storage.account import StorageAccount
from tests.support.bots.queued_turns import QueuedTurnsBot
from tests.support.storage.queue_messages import QueueMessages


@pytest.fixture
def one(account: StorageAccount) -> QueuedTurnsBot:
    """A process."""
    return QueuedTurnsBot(account)


@pytest.fixture
def other(account: StorageAccount) -> QueuedTurnsBot:
    """Another process over the same account."""
    return QueuedTurnsBot(account)


@pytest.fixture
def far(far_account: StorageAccount) -> QueuedTurnsBot:
    """A process whose account is behind the proxy."""
    return QueuedTurnsBot(far_account)


@pytest.fixture
def messages(storage: str) -> QueueMessages:
    """The wake-up messages in the queue."""
    return QueueMessages(storage, QUEUE)


@pytest.fixture
def poison(storage: str) -> QueueMessages:
    """The messages in the poison queue."""
    return QueueMessages(storage, POISON_QUEUE)
