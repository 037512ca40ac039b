"""aiohttp bot: what it says, and where it listens."""

import pytest
from botbuilder.core.adapters import TestAdapter

from examples.aiohttp_bot.app import port_of
from examples.aiohttp_bot.echo_bot import EchoBot


async def test_echoes() -> None:
    """A message comes back."""
    flow = await TestAdapter(EchoBot().on_turn).send("hi")
    await flow.assert_reply("You said: hi")


@pytest.mark.parametrize(
    ("arguments", "environ", "port"),
    [(["3979"], {"PORT": "8000"}, 3979), ([], {"PORT": "8000"}, 8000), ([], {}, 3978)],
)
def test_its_port(arguments: list[str], environ: dict[str, str], port: int) -> None:
    """The argument, the port that App Service sets, or Bot Framework's usual one."""
    assert port_of(arguments, environ) == port
