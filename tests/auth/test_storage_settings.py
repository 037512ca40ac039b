"""Settings: the storage account, and queued turns, which need one."""

import pytest

from auth.settings import Settings, StorageSource, names_queued_turns, names_storage
from tests.auth.environs import APP_ID, DEVELOPMENT, MANAGED, OTHER, Environ, problems

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=c2VjcmV0;"
BY_NAME: Environ = {
    "AzureWebJobsStorage__accountName": "contoso1",
    "AzureWebJobsStorage__credential": "managedidentity",
    "AzureWebJobsStorage__clientId": OTHER,
}
BLOBS, QUEUES = "https://a.blob.example.net", "https://a.queue.example.net"
BY_URL: Environ = {
    "AzureWebJobsStorage__blobServiceUri": f"{BLOBS}/",
    "AzureWebJobsStorage__queueServiceUri": QUEUES,
}


def test_no_storage() -> None:
    """Without storage settings, state is in memory."""
    for environ in (MANAGED, {**MANAGED, "AzureWebJobsStorage": " "}):
        settings = Settings.from_environ(environ)
        assert (settings.storage, settings.queued) == (None, False)
        assert not names_storage(environ)


@pytest.mark.parametrize(
    ("environ", "source"),
    [
        ({"AzureWebJobsStorage": CONNECTION}, StorageSource(connection_string=CONNECTION)),
        (
            {"AzureWebJobsStorage": "UseDevelopmentStorage=true"},
            StorageSource(connection_string="UseDevelopmentStorage=true"),
        ),
        (
            BY_NAME,
            StorageSource(
                blob_url="https://contoso1.blob.core.windows.net",
                queue_url="https://contoso1.queue.core.windows.net",
                client_id=OTHER,
            ),
        ),
        (BY_URL, StorageSource(blob_url=BLOBS, queue_url=QUEUES)),
        (
            {**BY_URL, "AZURE_CLIENT_ID": APP_ID},
            StorageSource(blob_url=BLOBS, queue_url=QUEUES, client_id=APP_ID),
        ),
        (
            {**BY_NAME, "AZURE_CLIENT_ID": APP_ID, "AzureWebJobsStorage__queueServiceUri": QUEUES},
            StorageSource(
                blob_url="https://contoso1.blob.core.windows.net",
                queue_url=QUEUES,
                client_id=OTHER,
            ),
        ),
        (
            {**BY_NAME, "AzureWebJobsStorage": CONNECTION},
            StorageSource(connection_string=CONNECTION),
        ),
    ],
)
def test_where_storage_is(environ: Environ, source: StorageSource) -> None:
    """A connection string, an account's name, or both URLs, as the Functions host reads them."""
    assert names_storage(environ)
    assert Settings.from_environ({**MANAGED, **environ}).storage == source


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"AzureWebJobsStorage": "hello"}, {"AzureWebJobsStorage"}),
        ({"AzureWebJobsStorage": "a=b;c"}, {"AzureWebJobsStorage"}),
        ({"AzureWebJobsStorage": "a=;b=c"}, {"AzureWebJobsStorage"}),
        (
            {**BY_NAME, "AzureWebJobsStorage__accountName": "a_b"},
            {"AzureWebJobsStorage__accountName"},
        ),
        (
            {**BY_NAME, "AzureWebJobsStorage__credential": "key"},
            {"AzureWebJobsStorage__credential"},
        ),
        ({**BY_NAME, "AzureWebJobsStorage__clientId": "me"}, {"AzureWebJobsStorage__clientId"}),
        ({"AzureWebJobsStorage__blobServiceUri": BLOBS}, {"AzureWebJobsStorage__queueServiceUri"}),
        ({"AzureWebJobsStorage__queueServiceUri": QUEUES}, {"AzureWebJobsStorage__blobServiceUri"}),
        (
            {
                "AzureWebJobsStorage__blobServiceUri": "http://a.example",
                "AzureWebJobsStorage__queueServiceUri": "a.example",
            },
            {"AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri"},
        ),
    ],
)
def test_wrong_storage_settings(environ: Environ, names: set[str]) -> None:
    """Each problem names the setting, and no text quotes a connection string."""
    assert names_storage(environ)
    found = problems({**MANAGED, **environ})
    assert found.keys() == names
    assert not any("a=b" in text for text in found.values())


@pytest.mark.parametrize("value", ["Queued", "queued", " QUEUED "])
def test_queued_turns(value: str) -> None:
    """Queued turns need a storage account."""
    environ = {**MANAGED, "BotTurns": value}
    assert names_queued_turns(environ)
    assert Settings.from_environ({**environ, **BY_NAME}).queued
    found = problems(environ)
    assert found.keys() == {"BotTurns"}
    assert "AzureWebJobsStorage__accountName" in found["BotTurns"]


def test_other_values_of_bot_turns() -> None:
    """Inline and unknown values require no storage."""
    assert not Settings.from_environ({**MANAGED, "BotTurns": "Inline"}).queued
    assert problems({**MANAGED, "BotTurns": "Later"}).keys() == {"BotTurns"}
    assert not any(map(names_queued_turns, ({}, {"BotTurns": "Inline"}, {"BotTurns": "Later"})))


def test_wrong_storage_is_reported_once() -> None:
    """Queued turns report no missing account when the account's settings are wrong."""
    environ = {**MANAGED, "BotTurns": "Queued", "AzureWebJobsStorage": "hello"}
    assert problems(environ).keys() == {"AzureWebJobsStorage"}


def test_an_account_key_is_a_secret() -> None:
    """A key is warned of in Azure; on a developer's machine it is Azurite's."""
    environ = {**MANAGED, "AzureWebJobsStorage": CONNECTION}
    settings = Settings.from_environ(environ)
    [warning] = settings.warnings
    assert "AzureWebJobsStorage__accountName" in warning
    assert "c2VjcmV0" not in warning
    assert "c2VjcmV0" not in repr(settings)
    assert Settings.from_environ({**environ, **DEVELOPMENT}).warnings == ()
    assert Settings.from_environ({**MANAGED, **BY_NAME}).warnings == ()
    marked = {**environ, **DEVELOPMENT, "WEBSITE_SITE_NAME": "x"}
    assert len(Settings.from_environ(marked).warnings) == 1
