"""Which check has failed, for every reason to refuse a caller."""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from tests.emulator.recorder.conftest import FAULT
from tests.support.bots.bot_process import BotProcess
from tests.support.credentials.bot_token_press import CALLER, BotTokenPress
from tests.support.credentials.forged_tokens import REJECTED, with_claims
from tests.support.credentials.token_press import TokenPress
from tests.support.recording.feed_thread import Event, FeedThread
from tests.support.recording.recorded_bot import RecordedBot
from tests.support.wire.http_post import Caller

TENANT = "11111111-2222-3333-4444-555555555555"
OTHER_BOT = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"

LEFT_OUT = {"line end", "blank before", "blank after", "the bot's own outbound token"}
"""Headers that HTTP does not transport as they are; and a token that is valid where other bots may
call."""

CHECKS = {
    "issuer": "issuer",
    "exp or nbf": "expiry",
    "expired": "expiry",
    "not valid yet": "expiry",
    "no signing key": "key",
    "signature": "signature",
}
"""The check that fails, by what the reason for a refusal has in it; others are about the token."""


class CheckedBot:
    """A bot with every check that settings turn on."""

    def __init__(self, caller: Caller, bot: RecordedBot) -> None:
        self._caller, self.bot = caller, bot

    def deliver(self, authorization: str | None, path: str = "messages", **content: Any) -> str:
        """Deliver an activity, and return its turn's id once it has ended."""
        turn = secrets.token_hex(16)
        headers = [
            ("Content-Type", "application/json"),
            ("traceparent", f"00-{turn}-{secrets.token_hex(8)}-01"),
        ]
        if authorization is not None:
            headers.append(("Authorization", authorization))
        activity = self.bot.activity(type="message", text="hello", **content)
        self._caller.send("POST", f"/api/{path}", headers, json.dumps(activity).encode())
        self.bot.feed.wait_for_end(turn)
        return turn

    def checks(self, turn: str) -> dict[str, Event]:
        """A turn's checks."""
        found = self.bot.feed.of(turn, "check")
        checks = {each["name"]: each for each in found}
        assert len(checks) == len(found)
        return checks

    def failed(self, turn: str) -> str:
        """The only check of a turn that has failed; those before it passed or did not apply."""
        checks = self.checks(turn)
        [failed] = [name for name, check in checks.items() if check["outcome"] == "failed"]
        after = list(checks)[list(checks).index(failed) + 1 :]
        assert {checks[name]["detail"] for name in after} <= {"not reached"}
        return failed


@pytest.fixture(scope="module")
def checked(
    own_cloud: CloudThread, feed: FeedThread, app_folder: Path, logs: Path
) -> Iterator[CheckedBot]:
    """The bot, which one tenant's users and one other bot may call."""
    settings = {**own_cloud.cloud.settings(), **feed.settings}
    settings |= {"AllowedTenants": TENANT, "AllowedCallers": CALLER}
    log = logs / "checked.log"
    with (
        BotProcess(settings, log, app_folder) as process,
        closing(Caller(process.url)) as caller,
    ):
        yield CheckedBot(caller, RecordedBot(own_cloud, process.messages, feed))
    assert FAULT not in log.read_text()


@pytest.fixture
def press(checked: CheckedBot) -> TokenPress:
    """Makes the channel's tokens."""
    return TokenPress(checked.bot.cloud.cloud, checked.bot.activity())


@pytest.mark.parametrize("name", sorted(REJECTED.keys() - LEFT_OUT))
def test_an_invalid_token(name: str, checked: CheckedBot, press: TokenPress) -> None:
    """The check that has failed is the one that the refusal is about."""
    forge, reason = REJECTED[name]
    expected = next((check for text, check in CHECKS.items() if text in reason), "token")
    assert checked.failed(checked.deliver(forge(press))) == expected


def test_claims_of_a_refused_token(checked: CheckedBot, press: TokenPress) -> None:
    """They are shown as what they are: not verified."""
    turn = checked.deliver(with_claims(iss="https://evil.example")(press))
    claims = checked.bot.feed.one(turn, "claims")
    assert claims["claims"]["iss"] == "https://evil.example"
    assert claims["verified"] is False


def test_audience(checked: CheckedBot, press: TokenPress) -> None:
    """A token for another bot."""
    assert checked.failed(checked.deliver(with_claims(aud=OTHER_BOT)(press))) == "audience"


def test_service_url(checked: CheckedBot, press: TokenPress) -> None:
    """A token for another service URL."""
    forge = with_claims(serviceurl="https://smba.trafficmanager.net/teams/")
    assert checked.failed(checked.deliver(forge(press))) == "service URL"


def test_endorsement(checked: CheckedBot, press: TokenPress) -> None:
    """A channel that the key does not sign for."""
    turn = checked.deliver(f"Bearer {press.token()}", channelId="carrier-pigeon")
    assert checked.failed(turn) == "endorsement"


def test_channel_host(checked: CheckedBot, press: TokenPress) -> None:
    """A host that is no channel's."""
    url = "https://evil.example/"
    turn = checked.deliver(with_claims(serviceurl=url)(press), serviceUrl=url)
    assert checked.failed(turn) == "channel host"


def test_tenant(checked: CheckedBot, press: TokenPress) -> None:
    """A user of a tenant that is not allowed; one of an allowed tenant passes all checks."""
    token = f"Bearer {press.token()}"
    turn = checked.deliver(token, **in_tenant(OTHER_BOT, checked))
    assert checked.failed(turn) == "tenant"
    checks = checked.checks(checked.deliver(token, **in_tenant(TENANT, checked)))
    assert checks["tenant"]["outcome"] == "passed"
    assert TENANT in checks["tenant"]["detail"]
    assert {each["outcome"] for each in checks.values()} == {"passed", "skipped"}


def in_tenant(tenant: str, checked: CheckedBot) -> dict[str, Any]:
    """The fields of an activity of a user in Teams, who belongs to a tenant."""
    conversation = {"id": checked.bot.conversation.id, "tenantId": tenant}
    return {"channelId": "msteams", "conversation": conversation}


def test_another_bot(checked: CheckedBot) -> None:
    """A bot in AllowedCallers passes; one that is not in it fails there."""
    press = BotTokenPress(checked.bot.cloud.cloud)
    allowed = f"Bearer {press.token()}"
    checks = checked.checks(checked.deliver(allowed, **in_tenant(TENANT, checked)))
    assert checks["allowed callers"]["outcome"] == "passed"
    assert checks["endorsement"]["outcome"] == "skipped"
    other = f"Bearer {press.token(press.claims(appid=OTHER_BOT))}"
    assert checked.failed(checked.deliver(other)) == "allowed callers"


def test_a_reply_of_a_skill(checked: CheckedBot, press: TokenPress) -> None:
    """The endpoint for skills' replies is for other bots: the channel fails there."""
    path = "skills/v3/conversations/made-up/activities"
    turn = checked.deliver(f"Bearer {press.token()}", path)
    assert checked.failed(turn) == "allowed callers"
    bot = BotTokenPress(checked.bot.cloud.cloud)
    turn = checked.deliver(f"Bearer {bot.token()}", path)
    assert checked.bot.feed.one(turn, "turn_started")["function"] == "skills"
    assert {each["outcome"] for each in checked.checks(turn).values()} == {"passed"}
    assert checked.bot.feed.one(turn, "turn_ended")["status"] == 404
