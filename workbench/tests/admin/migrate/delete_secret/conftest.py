"""A bot whose secret can be deleted."""

import pytest

from tests.admin.migrate.delete_secret.deletion import Deletion
from tests.admin.migrate.migration import Migration


@pytest.fixture
def deletion(migration: Migration) -> Deletion:
    """Its new app has the traffic, signs in without the secret, and has just called a channel."""
    deletion = Deletion(migration)
    deletion.switch()
    return deletion


@pytest.fixture
def replaced(migration: Migration) -> Deletion:
    """A new bot replaces it: its app has just called a channel, and the old app is stopped."""
    deletion = Deletion(migration)
    deletion.replace_bot()
    return deletion
