"""CliCredential: the real SDK class, in front of an `az` that the test writes."""

from pathlib import Path

import pytest

from auth.errors import SignInError
from bot_workbench.app.cli_credential import CliCredential


def install_az(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an `az` on the path, before everything else."""
    az = folder / "az"
    az.write_text(f"#!/bin/sh\n{script}\n")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def test_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI's token for the audience is handed on."""
    answer = '{"accessToken": "the token", "expires_on": 4000000000}'
    script = f"""case "$*" in *https://storage.azure.com*) echo '{answer}' ;; esac"""
    install_az(tmp_path, script, monkeypatch)
    token = await CliCredential().request_token("https://storage.azure.com")
    assert (token.value, token.expires_on) == ("the token", 4_000_000_000)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo \"Please run 'az login' to setup account.\" >&2; exit 1", "Please run 'az login'"),
        ("exit 127", "Azure CLI not found"),
    ],
)
async def test_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    """Without a login, or without the CLI, the error gives the CLI's reason and names the cure."""
    install_az(tmp_path, script, monkeypatch)
    with pytest.raises(SignInError, match="then run `az login`") as raised:
        await CliCredential().request_token("https://storage.azure.com")
    assert why in str(raised.value)
