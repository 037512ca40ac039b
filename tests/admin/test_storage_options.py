"""The options that name a storage account on the command line."""

import argparse

import pytest

from admin.cli_credential import CliCredential
from admin.storage_options import add_storage_options, storage_account
from auth.errors import SignInError
from auth.settings import StorageSource
from cloud_adapter.storage.account import StorageAccount


def account(*words: str) -> StorageAccount:
    """The account that these words name."""
    parser = argparse.ArgumentParser()
    add_storage_options(parser)
    return storage_account(parser.parse_args(words))


def test_azurite_is_meant_where_nothing_is_said() -> None:
    """Without options the account is Azurite's, by its well-known short form."""
    assert account()._source == StorageSource("UseDevelopmentStorage=true")
    assert account()._identity is None


def test_another_account_by_its_key() -> None:
    """A connection string is taken as it is."""
    found = account("--connection-string", "AccountName=a;AccountKey=b")
    assert found._source == StorageSource("AccountName=a;AccountKey=b")


def test_an_account_in_azure() -> None:
    """By its name alone it is reached as whom the Azure CLI has signed in."""
    found = account("--account", "mybot")
    assert found._source.blob_url == "https://mybot.blob.core.windows.net"
    assert found._source.queue_url == "https://mybot.queue.core.windows.net"
    assert isinstance(found._identity, CliCredential)


def test_one_account_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Both options at once are refused."""
    with pytest.raises(SystemExit):
        account("--account", "mybot", "--connection-string", "x=y")
    assert "not allowed with" in capsys.readouterr().err


async def test_nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Azure CLI, or a login in it, the error names the cure."""
    monkeypatch.setenv("PATH", "/nowhere")
    async with CliCredential() as identity:
        with pytest.raises(SignInError, match="az login"):
            await identity.get_token("https://storage.azure.com/.default")
