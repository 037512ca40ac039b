"""AzuriteAccounts: an account of its own for each test, in an Azurite that is not old."""

import pytest
from azure.storage.queue import QueueServiceClient

from bot_testing.cloud.azurite_accounts import AzuriteAccounts
from tests.support.program import is_running

pytestmark = pytest.mark.extended


def create_queue(account: str) -> None:
    """Create a queue, which fails if the account has it already."""
    with QueueServiceClient.from_connection_string(account) as queues:
        queues.create_queue("work")


async def test_an_old_azurite_is_replaced() -> None:
    """While a loop is running, too. It keeps its accounts until the next replacement."""
    with AzuriteAccounts(max_age_seconds=0) as accounts:
        first = accounts.azurite.pid
        account = accounts.fresh()
        second = accounts.azurite.pid
        create_queue(account)
        assert is_running(first)
        create_queue(accounts.fresh())
        third = accounts.azurite.pid
        assert not is_running(first)
        assert len({first, second, third}) == 3
        with QueueServiceClient.from_connection_string(account) as queues:
            assert [each.name for each in queues.list_queues()] == ["work"]
    assert not is_running(second)
    assert not is_running(third)


def test_accounts_share_an_azurite() -> None:
    """While it is young."""
    with AzuriteAccounts() as accounts:
        first = accounts.azurite
        create_queue(accounts.fresh())
        create_queue(accounts.fresh())
        assert accounts.azurite is first
