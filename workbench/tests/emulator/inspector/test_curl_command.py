"""The curl command: pasted into a shell, it delivers the same activity with a valid token."""

import asyncio
import shutil
from typing import Any

import jwt
import pytest

from tests.emulator.inspector.inspected_bot import InspectedBot
from tests.emulator.inspector.inspector_client import InspectorClient

SHELLS = [shell for shell in ("bash", "zsh", "dash") if shutil.which(shell)]

TEXTS = {
    "quotes": """it's "quoted" and 'quoted', \\"escaped\\" and \\'escaped\\'""",
    "shell": "$(touch /tmp/x) `id` $HOME ${HOME} !! && || ; | > < & * ? ~ # \\ % ^",
    "lines": "one\ntwo\r\nthree\ttab\u2028four\u0085five",
    "heredoc": "ACTIVITY\nACTIVITY\n'ACTIVITY'\n  ACTIVITY",
    "unicode": "Grüße 日本語 🙂 ‮עברית\u202c e\u0301",
    "control": "\x00\x01\x1b[31m\x7f",
    "surrogate": "\ud83d",
    "json": '{"a": [1, 2.5, null, true]}',
    "large": "x" * 200_000,
    "empty": "",
}


SERVICE_URLS = ("", "https://smba.example/de/'$HOME'?a=1&b=%2F#c/")
"""Empty: the local connector's."""


async def pasted(shell: str, command: str) -> str:
    """What a shell prints that reads a command from its input, as a terminal's does."""
    process = await asyncio.create_subprocess_exec(
        shell,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate(command.encode())
    assert (process.returncode, error) == (0, b"")
    return out.decode()


@pytest.mark.parametrize("service_url", SERVICE_URLS)
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", TEXTS)
async def test_the_pasted_command(
    client: InspectorClient, bot: InspectedBot, name: str, shell: str, service_url: str
) -> None:
    """A shell and the real curl deliver the activity letter by letter, whatever is in it."""
    value: dict[str, Any] = {TEXTS[name]: [TEXTS[name]]}
    address = {"serviceUrl": service_url} if service_url else {}
    sent = await client.send(text=TEXTS[name], value=value, **address)
    command = (await client.turn(sent["turn"]))["curl"]
    assert "eyJ" not in command
    out = await pasted(shell, command)
    assert "HTTP/1.1 200 OK" in out  # after 100 Continue, if the activity is large
    first, second = bot.activities
    assert first == second
    token = bot.headers[1]["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["serviceurl"] == first["serviceUrl"]
    expected = "application/json; charset=utf-8"
    assert bot.headers[1]["Content-Type"] == bot.headers[0]["Content-Type"] == expected
