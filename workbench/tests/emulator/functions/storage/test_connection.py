"""Which settings name a storage account, and which do not."""

import pytest

from bot_workbench.emulator.functions.errors import ConnectionMissingError, FunctionError
from bot_workbench.emulator.functions.storage.connection import StorageConnection

KEY = "a2V5"
TEXT = f"AccountName=one;AccountKey={KEY};QueueEndpoint=http://127.0.0.1:1/one"

LEADING = {
    "connection string": ("Here", {"Here": TEXT}, "http://127.0.0.1:1/one"),
    "prefix": ("Here", {"AzureWebJobsHere": TEXT, "Here": "x"}, "http://127.0.0.1:1/one"),
    "no name": ("", {"AzureWebJobsStorage": TEXT}, "http://127.0.0.1:1/one"),
    "development storage": (
        "AzureWebJobsStorage",
        {"AzureWebJobsStorage": "UseDevelopmentStorage=true"},
        "http://127.0.0.1:10001/devstoreaccount1",
    ),
    "account name": (
        "AzureWebJobsStorage",
        {"AzureWebJobsStorage__accountName": "two"},
        "https://two.queue.core.windows.net",
    ),
    "address": (
        "Here",
        {
            "Here__queueServiceUri": "https://127.0.0.1:1/two",
            "Here__accountName": "two",
            "Here__credential": "managedIdentity",
            "Here__clientId": "00000000-0000-0000-0000-000000000001",
        },
        "https://127.0.0.1:1/two",
    ),
}


@pytest.mark.parametrize(("name", "environ", "url"), LEADING.values(), ids=LEADING)
def test_settings_lead_to_the_account(name: str, environ: dict[str, str], url: str) -> None:
    """A connection string wins, the prefixed name first; else an account's name or address."""
    connection = StorageConnection.of("queue", name, environ)
    assert connection.url == url


def test_blobs_have_their_own_address() -> None:
    """A client for blobs is made of the same settings, but for the address in them."""
    environ = {
        "Here__queueServiceUri": "https://127.0.0.1:1/two",
        "Here__blobServiceUri": "https://127.0.0.1:2/two",
    }
    connection = StorageConnection.of("blob", "Here", environ)
    assert connection.url == "https://127.0.0.1:2/two"


def test_missing_settings_are_named() -> None:
    """Without any setting the error names those that could be set."""
    with pytest.raises(ConnectionMissingError, match=r"set Here to .*Here__queueServiceUri"):
        StorageConnection.of("queue", "Here", {"Here": "", "Here__clientId": "x"})


def test_malformed_connection_string_is_named_and_not_shown() -> None:
    """The error names the setting, and contains nothing of its value, which may hold a key."""
    with pytest.raises(FunctionError, match="Here is not a storage connection string") as error:
        StorageConnection.of("queue", "Here", {"Here": f"AccountKey={KEY};x"})
    assert KEY not in str(error.value)


@pytest.mark.parametrize("url", ["junk", "ftp://one", "http://one:port", "http://[one", "https://"])
def test_url_that_is_none_is_named(url: str) -> None:
    """A URL that cannot be one, in a setting of its own or in a connection string, is an error."""
    with pytest.raises(FunctionError, match="Here__queueServiceUri is not a URL"):
        StorageConnection.of("queue", "Here", {"Here__queueServiceUri": url})
    text = f"AccountName=one;AccountKey={KEY};QueueEndpoint={url}"
    with pytest.raises(FunctionError, match="Here is not a storage connection string"):
        StorageConnection.of("queue", "Here", {"Here": text})


def test_unknown_credential_is_refused() -> None:
    """A kind of credential that this host does not support is an error."""
    environ = {"Here__accountName": "x", "Here__credential": "secret"}
    with pytest.raises(FunctionError, match="Here__credential is secret"):
        StorageConnection.of("queue", "Here", environ)
