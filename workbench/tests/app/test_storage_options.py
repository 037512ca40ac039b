"""The storage account that the command line names."""

import pytest

from auth.settings import StorageSource
from bot_workbench.admin.exit_status import ExitStatus
from bot_workbench.app.command_line import main
from bot_workbench.app.storage_options import storage_account


@pytest.mark.parametrize(
    ("name", "connection_string", "source"),
    [
        (None, None, StorageSource("UseDevelopmentStorage=true")),
        (None, "AccountName=a;AccountKey=Yg==", StorageSource("AccountName=a;AccountKey=Yg==")),
        (
            "mybot",
            None,
            StorageSource(
                blob_url="https://mybot.blob.core.windows.net",
                queue_url="https://mybot.queue.core.windows.net",
            ),
        ),
    ],
)
def test_which_account(
    name: str | None, connection_string: str | None, source: StorageSource
) -> None:
    """Azurite where nothing is said, another account by its key, one in Azure by its name."""
    assert storage_account(name, connection_string).source == source


def list_dead_letters(*words: str) -> object:
    """Run a command with these options; returns its exit status."""
    with pytest.raises(SystemExit) as ending:
        main(["dead-letters", "list", *words])
    return ending.value.code


def test_one_account_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Both options at once are refused."""
    assert list_dead_letters("--account", "a", "--connection-string", "x=y") == ExitStatus.USAGE
    assert "not both" in capsys.readouterr().err


def test_an_account_in_azure_needs_a_login(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account by its name is reached as the user of the Azure CLI, which is missing here."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert list_dead_letters("--account", "mybot") == ExitStatus.UNREACHABLE
    assert "az login" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("connection_string", "why"),
    [
        (
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=Yg==;"
            "QueueEndpoint=http://127.0.0.1:9/a;BlobEndpoint=http://127.0.0.1:9/a",
            "does not answer",
        ),
        ("nonsense", "is not the connection string of a storage account"),
    ],
)
def test_an_account_that_cannot_be_reached(
    capsys: pytest.CaptureFixture[str], connection_string: str, why: str
) -> None:
    """The message says why, and which options choose the account; nothing else is printed."""
    given = ("--connection-string", connection_string)
    assert list_dead_letters(*given) == ExitStatus.UNREACHABLE
    printed = capsys.readouterr()
    assert why in printed.err
    assert "--account or --connection-string" in printed.err
    assert printed.out == ""
