"""A running bot's telemetry in Application Insights: from whom, and what is not in it."""

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.user import User
from tests.support.telemetry.encoded import found_in
from tests.support.telemetry.ingestion import AUDIENCE, Ingestion
from tests.support.test_bot import NO_TYPING
from tests.support.timing.condition import until
from tests.support.wire.http_post import Caller, Reply

pytestmark = pytest.mark.extended

SECRET = "sesame-opens-the-cave"  # what a user says
REQUEST, DEPENDENCY = "RequestData", "RemoteDependencyData"
METRIC, MESSAGE = "MetricData", "MessageData"


class InvokingUser(User):
    """A user whose messages come with a trace context, as each invocation in Azure has one."""

    @property
    def account_id(self) -> str:
        """The user's id in the channel."""
        return str(self.addressed({})["from"]["id"])

    def sends(self, activity: dict[str, Any]) -> Reply:
        """Deliver an activity."""
        headers = [
            ("content-type", "application/json"),
            ("authorization", f"Bearer {self.token}"),
            ("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"),
        ]
        body = json.dumps(self.addressed(activity)).encode()
        return self.caller.send("POST", "/api/messages", headers, body)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A local cloud."""
    with CloudThread(Cloud(tmp_path)) as thread:
        yield thread.cloud


@pytest.fixture
def ingestion(cloud: Cloud) -> Iterator[Ingestion]:
    """Application Insights' endpoint."""
    with Ingestion(cloud.authority.server_context()) as receiver:
        yield receiver


def exporting(cloud: Cloud, ingestion: Ingestion) -> dict[str, str]:
    """The settings of a bot that exports its log lines, too; all traces are sampled."""
    return {
        **cloud.settings(),
        **NO_TYPING,
        **ingestion.settings(cloud.registration.app_id),
        "REQUESTS_CA_BUNDLE": str(cloud.authority.path),
        "OTEL_TRACES_SAMPLER": "always_on",
        "OTEL_BLRP_SCHEDULE_DELAY": "50",
        "AzureFunctionsJobHost__telemetryMode": "OpenTelemetry",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "WEBSITE_SITE_NAME": "",
    }


def test_a_turn(cloud: Cloud, ingestion: Ingestion, logs: Path) -> None:
    """A turn is one operation, with its log lines; nothing that a user wrote is in it."""
    log = logs / "application insights.log"
    with (
        BotProcess(exporting(cloud, ingestion), log) as process,
        closing(Caller(process.url)) as caller,
    ):
        user = InvokingUser(cloud, caller)
        assert user.says(SECRET) == 200
        assert user.says("fail") == 200
        token, user.token = user.token, "no token"
        assert user.says(SECRET) == 401
        until(lambda: len(named(ingestion, "agents.adapter.process")) == 3)
        until(lambda: {"agents.turn.count", "bot.refusals"} <= metrics(ingestion))
        until(lambda: any("Answered 401" in line for line in lines(ingestion)))
        # The host has the request already: a second one would count each turn twice.
        assert ingestion.items(REQUEST) == []
        turn, _, refusal = named(ingestion, "agents.adapter.process")
        names = {
            item["data"]["baseData"]["name"]
            for item in ingestion.items(DEPENDENCY)
            if item["tags"]["ai.operation.id"] == turn["tags"]["ai.operation.id"]
        }
        assert "agents.app.run" in names
        reply, *_ = named(ingestion, "agents.connector.reply_to_activity")
        assert reply["data"]["baseData"]["type"] == "HTTP"
        assert reply["data"]["baseData"]["resultCode"] == "201"
        assert reply["data"]["baseData"]["target"] == "localhost"
        assert turn["data"]["baseData"]["success"]
        assert refusal["data"]["baseData"]["properties"]["bot.error"] == "TokenRejected"
        assert not refusal["data"]["baseData"]["success"]
        assert "Answered 401: not a JWT" in lines(ingestion, refusal)
        assert "Answered 401: not a JWT" not in lines(ingestion, turn)
    assert {each["aud"] for each in ingestion.tokens} == {AUDIENCE}
    assert ingestion.refused == 0
    everything = json.dumps([json.loads(each.body) for each in ingestion.posted])
    private = (SECRET, token, "Ada", user.account_id, cloud.identity.secret)
    assert found_in(everything.encode(), private) == []
    # Log lines name conversations, to be found by; spans and metrics have a hash.
    measured = json.dumps([*ingestion.items(DEPENDENCY), *ingestion.items(METRIC)])
    assert user.conversation.id not in measured
    assert "eyJ" not in everything, "a JSON Web Token was exported"


def named(ingestion: Ingestion, name: str) -> list[dict[str, Any]]:
    """The dependencies of this name, oldest first."""
    found = ingestion.items(DEPENDENCY)
    return [item for item in found if item["data"]["baseData"]["name"] == name]


def lines(ingestion: Ingestion, of: dict[str, Any] | None = None) -> list[str]:
    """The log lines so far; only those of one operation, if it is given."""
    return [
        item["data"]["baseData"]["message"]
        for item in ingestion.items(MESSAGE)
        if of is None or item["tags"]["ai.operation.id"] == of["tags"]["ai.operation.id"]
    ]


def metrics(ingestion: Ingestion) -> set[str]:
    """The names of the metrics so far."""
    return {item["data"]["baseData"]["metrics"][0]["name"] for item in ingestion.items(METRIC)}
