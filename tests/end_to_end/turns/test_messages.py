"""POST /api/messages on the running bot: every row of its answers."""

import json
from typing import Any

import pytest

from bot_testing.cloud.cloud_thread import CloudThread
from bot_workbench.emulator.cloud import Cloud
from composition import VERSION
from tests.support.bots.bot_process import BotProcess
from tests.support.credentials.token_press import TokenPress
from tests.support.wire.http_post import Caller, Reply

JSON = ("Content-Type", "application/json; charset=utf-8")
MIB = 1024 * 1024


@pytest.fixture
def token(cloud: Cloud, message: dict[str, Any]) -> str:
    """The channel's token for the test's message."""
    return "Bearer " + TokenPress(cloud, message).token()


def post(caller: Caller, body: bytes, token: str, content_type: str = JSON[1]) -> Reply:
    """Send raw bytes to the messaging endpoint."""
    headers = [("Content-Type", content_type)] if content_type else []
    return caller.send("POST", "/api/messages", [*headers, ("Authorization", token)], body)


def texts(cloud: Cloud, activity: dict[str, Any]) -> list[str]:
    """What the bot said in an activity's conversation."""
    conversation = cloud.conversations.by_id[activity["conversation"]["id"]]
    return [sent.get("text", "") for sent in conversation.activities]


def test_turn_done(caller: Caller, cloud: Cloud, message: dict[str, Any], token: str) -> None:
    """A message is answered 200 and empty, after the reply has reached the connector."""
    reply = caller.deliver(message, token)
    assert (reply.status, reply.body) == (200, b"")
    assert texts(cloud, message) == ["You said: hello"]


def test_invoke(caller: Caller, message: dict[str, Any], token: str) -> None:
    """An invoke is answered with its own status and JSON."""
    action = {"type": "Action.Execute", "verb": "color", "data": {"color": "green"}}
    invoke = {
        **message,
        "type": "invoke",
        "name": "adaptiveCard/action",
        "value": {"action": action},
    }
    reply = caller.deliver(invoke, token)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["type"] == "application/vnd.microsoft.card.adaptive"
    assert "green" in json.dumps(reply.json()["value"])


def test_invoke_of_the_wrong_shape(caller: Caller, message: dict[str, Any], token: str) -> None:
    """A card action without an action is the caller's fault: 400."""
    invoke = {**message, "type": "invoke", "name": "adaptiveCard/action", "value": {}}
    reply = caller.deliver(invoke, token)
    assert reply.status == 400
    assert reply.json()["value"]["code"] == "BadRequest"


def test_not_an_object(caller: Caller, token: str) -> None:
    """A body that is not a JSON object is answered 400."""
    reply = post(caller, b"{", token)
    assert reply.status == 400
    assert set(reply.json()) == {"error"}


def test_body_size(caller: Caller, message: dict[str, Any], token: str) -> None:
    """A body of 1 MiB is taken; one byte more is answered 413."""
    body = json.dumps(message).encode()
    assert post(caller, body + b" " * (MIB - len(body)), token).status == 200
    assert post(caller, body + b" " * (MIB - len(body) + 1), token).status == 413


def test_content_type(caller: Caller, message: dict[str, Any], token: str) -> None:
    """A body that does not say that it is JSON is answered 415."""
    assert post(caller, json.dumps(message).encode(), token, content_type="").status == 415


def test_no_token(caller: Caller, message: dict[str, Any]) -> None:
    """A refused caller gets one generic sentence, and the scheme (RFC 9110)."""
    reply = caller.deliver(message, None)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json() == {"error": "The caller is not authenticated."}


def test_other_methods(caller: Caller) -> None:
    """Only POST is served."""
    assert caller.send("GET", "/api/messages", []).status == 404


def test_identity(caller: Caller, cloud: Cloud, message: dict[str, Any], token: str) -> None:
    """identity shows what proves the sign-in, and never the token."""
    caller.deliver(message, token)
    reply = caller.send("GET", "/api/identity", [])
    facts = reply.json()
    assert reply.status == 200
    assert facts["kind"] == "ManagedIdentity"
    assert facts["appId"] == cloud.registration.app_id
    assert facts["tenantId"] == cloud.registration.tenant_id
    assert facts["audience"] == "https://api.botframework.com"
    assert facts["expiresOn"] > "2026"
    assert "2026" < facts["processStartedOn"] < facts["lastOutboundCall"]
    assert facts["certificateThumbprint"] is None
    assert facts["certificateExpiresOn"] is None
    assert facts["warnings"] == []
    assert facts["version"] == VERSION
    assert facts["package"] == "built in Azure"
    assert b"eyJ" not in reply.body


def test_identity_needs_the_function_key(running_cloud: CloudThread, logs: Any) -> None:
    """Where the host checks keys, as Azure's does, identity opens to the key only."""
    settings = running_cloud.cloud.settings()
    with BotProcess(settings, logs / "key.log", options=("--function-key", "sesame")) as process:
        caller = Caller(process.url)
        assert caller.send("GET", "/api/identity", []).status == 401
        assert caller.send("GET", "/api/identity", [("x-functions-key", "sesame")]).status == 200
        assert caller.send("GET", "/api/health", []).status == 200
        caller.close()


def test_wrong_settings(logs: Any) -> None:
    """Wrong settings: every call is answered 503 in one line; the log has each with its cure."""
    log = logs / "settings.log"
    with BotProcess({"MicrosoftAppType": "Nonsense", "MicrosoftAppId": "x"}, log) as process:
        caller = Caller(process.url)
        health = caller.send("GET", "/api/health", [])
        delivery = caller.deliver({}, None)
        identity = caller.send("GET", "/api/identity", [])
        caller.close()
    for reply in (health, delivery, identity):
        assert reply.status == 503
        assert reply.json() == {"error": "The bot is not available."}
        assert int(reply.headers["retry-after"]) > 0
    said = log.read_text()
    assert "MicrosoftAppType: 'Nonsense' is not known" in said
    assert "MicrosoftAppId: 'x' is not a GUID" in said
