"""The queries find the lines that the bot really logs, and say of each what it is."""

import asyncio
import datetime
import logging
import re
from types import SimpleNamespace

import pytest

import function_app
from auth.certificates.versions import ExpiryWarning
from auth.errors import (
    BotError,
    CallerForbidden,
    CompositionFailed,
    EndpointDown,
    KeysUnavailable,
    SettingsError,
    SignInError,
    TokenRejected,
)
from bot_workbench.admin.doctor.checks.app import HOST_LINES, HostLine
from cloud_adapter.adapter import CloudAdapter
from cloud_adapter.connector.client import ConnectorError
from cloud_adapter.deadlines import START_SECONDS, StartLimit
from cloud_adapter.errors import ConversationBusy, StartTimedOut, StorageUnavailable
from tests.infra.queries.source_texts import all_logged, logged, raised
from tests.infra.queries.test_queries import FILES
from tests.support.kusto.rows import columns
from tests.support.project import ROOT

ACTIVITY = SimpleNamespace(
    type="message",
    id="1700000000001",
    conversation=SimpleNamespace(id="a:1xyz"),
    as_dict=dict,
)


HOST_TEXTS = {
    "Recycled": "Exceeded language worker restart retry count for runtime:python. Shutting down and"
    " proactively recycling the Functions Host to recover",
    "InError": "The 'turns' function is in error: The binding type(s) 'queueTrigger' were not found"
    " in the configured extension bundle.",
    "WithoutWorker": "Did not find any initialized language workers",
    "ShutDown": "An unhandled exception has occurred. Host is shutting down.",
}
"""What a Functions host of version 4 logs, by the query's column: the message of a trace, and that
of an exception if no worker was there."""


def answered(error: BotError, caplog: pytest.LogCaptureFixture) -> str:
    """The line that the app logs when it refuses a request for an error."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        function_app.refusal(error)
    (record,) = caplog.records
    return record.getMessage()


def failed(error: Exception, problem: str, caplog: pytest.LogCaptureFixture) -> str:
    """The line that the app logs when a turn raises."""
    caplog.clear()
    adapter = SimpleNamespace(redact=False)
    CloudAdapter._log_failure(adapter, ACTIVITY, problem, error)  # type: ignore[arg-type]
    (record,) = caplog.records
    return record.getMessage()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TokenRejected("there is no bearer token"), "401"),
        (CallerForbidden("the token is for another bot (audience)"), "403"),
        (SettingsError(["MicrosoftAppId: it is missing"]), "503"),
        (StorageUnavailable("the storage account answers 500"), "503"),
    ],
)
def test_refusals(error: BotError, status: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each refused request is a row with its status and the reason."""
    row = columns(FILES["refusals"], answered(error, caplog))
    assert row is not None
    assert row["Status"] == status
    assert str(error) in row["Reason"]
    assert columns(FILES["refusals"], "Signs in with the certificate") is None


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("the storage account refuses access: give the identity the roles", "storage"),
        ("the storage account does not answer: check AzureWebJobsStorage", "storage"),
        ("the storage account did not answer within ", "storage"),
        ("the server at the storage account's URL is not Azure Storage", "storage"),
        ("another turn of the conversation is running in this process", "busy conversation"),
        ("another turn of the conversation is running in another process", "busy conversation"),
        ("other turns keep changing the state", "busy conversation"),
        ("no signing keys could be fetched from ", "signing keys"),
        ("the signing key ", "signing keys"),
        ("the system-assigned identity", "sign-in"),
        ("the identity endpoint", "sign-in"),
        ("the identity may not use ", "sign-in"),
        ("no token within ", "sign-in"),
        ("Entra does not accept the certificate: upload its public key", "sign-in"),
        ("the vault does not answer for ", "sign-in"),
    ],
)
def test_causes_of_outages(text: str, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    """A request that got 503, and a queued turn that waits, has the cause that its text tells."""
    kinds = {"storage": StorageUnavailable, "busy conversation": ConversationBusy}
    error = {"signing keys": KeysUnavailable, "sign-in": SignInError, **kinds}[cause](raised(text))
    waits = logged("cloud_adapter/queued/queued_turns.py", "A turn in %s must wait: %s", "c", text)
    for line in (answered(error, caplog), waits):
        row = columns(FILES["outages"], line)
        assert row is not None
        assert row["Cause"] == cause
        assert row["Reason"].startswith(text[:20])


@pytest.mark.parametrize(
    ("reason", "is_made_up"),
    [("though the keys were fetched just now", True), ("and keys cannot be fetched now", False)],
)
def test_key_ids_that_are_made_up(
    reason: str, is_made_up: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """They are refused, and no outage, whatever the id says; an id of a lost fetch is one."""
    assert reason in (ROOT / "auth" / "inbound" / "bearer_token.py").read_text("utf-8")
    for kid in (
        "x",
        "and keys cannot be fetched now",
        "y is unknown, though the keys were fetched just now",
    ):
        line = answered(KeysUnavailable(f"the signing key {kid!r} is unknown, {reason}"), caplog)
        assert (columns(FILES["outages"], line) is None) is is_made_up
        [counted] = re.findall(
            r"MadeUp = sumif\(\s*ItemCount,\s*(Message .*)\),", FILES["doctor/last-day"]
        )
        assert (columns(f"table\n| where {counted}", line) is not None) is is_made_up
    assert "coalesce(Refused, 0) + coalesce(MadeUp, 0)" in FILES["doctor/last-day"]
    assert "coalesce(Unanswered, 0) - coalesce(MadeUp, 0)" in FILES["doctor/last-day"]


def test_causes_of_broken_deployments(caplog: pytest.LogCaptureFixture) -> None:
    """Wrong settings, and code that cannot be imported."""
    for error, cause in ((SettingsError(["a: b"]), "settings"), (CompositionFailed(), "code")):
        row = columns(FILES["outages"], answered(error, caplog))
        assert row is not None
        assert row["Cause"] == cause
    assert columns(FILES["outages"], answered(TokenRejected("not a JWT"), caplog)) is None


@pytest.mark.parametrize(
    ("waits_for", "cause"),
    [
        ("the app's start", "slow start"),
        ("the signing key that proves the caller", "signing keys"),
        ("the bot's token", "sign-in"),
        ("storing the activity in the storage account", "storage"),
        ("storing an update in the storage account", "storage"),
    ],
)
async def test_causes_of_late_starts(
    waits_for: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each thing that a late start has waited for has a cause in the query."""
    now = asyncio.get_running_loop().time()
    with pytest.raises(StartTimedOut) as late, StartLimit(now - START_SECONDS, waits_for):
        await asyncio.Event().wait()
    row = columns(FILES["outages"], answered(late.value, caplog))
    assert row is not None
    assert row["Cause"] == cause


@pytest.mark.parametrize(
    ("file", "text", "arguments", "warning"),
    [
        ("outbound/token_provider.py", "No first token yet: %s", ("down",), "no new token"),
        (
            "outbound/token_provider.py",
            "No new token (%s); the current one is used for %.0f s more",
            ("down", 60.0),
            "no new token",
        ),
        ("outbound/token_provider.py", "A token request failed", (), "bug"),
        (
            "certificates/versions.py",
            "The certificate's versions cannot be listed (%s); known ones stay in use",
            ("down",),
            "vault does not answer",
        ),
        (
            "certificates/versions.py",
            "There is a newer certificate, but it cannot be read: %s",
            ("no role",),
            "new certificate cannot be read",
        ),
        (
            "certificates/versions.py",
            "A newer certificate cannot be used yet: ",
            (),
            "new certificate is not registered",
        ),
    ],
)
def test_warnings(file: str, text: str, arguments: tuple[object, ...], warning: str) -> None:
    """Each warning of the sign-in has its row."""
    row = columns(FILES["sign-in"], logged(f"auth/{file}", text, *arguments))
    assert row is not None
    assert row["Warning"] == warning


def test_a_certificate_that_ends() -> None:
    """The row has the days that are left."""
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    certificate = SimpleNamespace(expires_on=now + 12.5 * 86400)
    text = ExpiryWarning(lambda: now).text(certificate)  # type: ignore[arg-type]
    row = columns(FILES["sign-in"], text)
    assert row is not None
    assert row["Warning"] == "certificate ends"
    assert row["DaysLeft"] == "12"


def test_lines_that_warn_of_nothing() -> None:
    """A renewal that goes well is no warning."""
    text = logged(
        "auth/certificates/versions.py", "Signs in with the certificate %s%s", "A", "; before B"
    )
    assert columns(FILES["sign-in"], text) is None


@pytest.mark.parametrize(
    "problem",
    [
        "failed",
        "on_turn_error failed",
        "the apology could not be sent",
        "the bot's answer cannot be written as JSON",
    ],
)
def test_failures(problem: str, caplog: pytest.LogCaptureFixture) -> None:
    """A failed turn's row has the problem; the error is the traceback's last line."""
    logged("cloud_adapter/adapter.py", problem)
    line = failed(ValueError("invalid literal"), problem, caplog)
    row = columns(FILES["failures"], line)
    assert row is not None
    assert line.splitlines()[-1] == "ValueError: invalid literal"
    assert line.splitlines()[0].endswith(f": {problem}")
    assert columns(FILES["failures"], "Turn 'message' '1' in 'c': ConversationBusy") is None


def test_a_blocked_event_loop() -> None:
    """Its row has the place in the bot's code; the doctor counts its lines."""
    begins = logged("cloud_adapter/worker_process.py", "The event loop has been blocked for ")
    line = f"{begins}10 s by bot_logic/bot.py:12 in on_turn: sleep(9), which: x. Await it: y"
    assert columns(FILES["failures"], line)
    for text, expected in (
        (line, {"Problem": begins.removesuffix(" for "), "ErrorType": "bot_logic/bot.py:12"}),
        ("Turn 'message' '1' in 'c': failed", {"Problem": "failed"}),
        ("x.ConnectorError: POST a: 500", {"ErrorType": "x.ConnectorError"}),
    ):
        patterns = re.findall(r"(\w+) = extract\(@'(.*)', 1, \w", FILES["failures"])
        found = {name: match[1] for name, each in patterns if (match := re.search(each, text))}
        assert found | expected == found
    [counted] = re.findall(r"Blocked = \w+\(ItemCount, (Message .*)\)", FILES["doctor/last-day"])
    assert columns(f"table\n| where {counted}", line)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConnectorError("POST https://smba.trafficmanager.net/x", 429), "429", ""),
        (
            ConnectorError(
                "POST https://smba.trafficmanager.net/x",
                403,
                {"error": {"code": "BotNotInConversationRoster", "message": "m"}},
            ),
            "403",
            "BotNotInConversationRoster",
        ),
        (ConnectorError("POST https://smba.trafficmanager.net/x"), "no answer", ""),
    ],
)
def test_refused_calls(
    error: ConnectorError, status: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A turn whose call the channel refused has the status and the channel's code."""
    row = columns(FILES["channel"], failed(error, "failed", caplog))
    assert row is not None
    assert (row["Status"], row["Code"]) == (status, code)
    other = failed(EndpointDown("Entra is down"), "failed", caplog)
    assert columns(FILES["channel"], other) is None


def test_dead_letters() -> None:
    """Each line with which the app sets something aside is a row, and so is the host's."""
    lines = [each for each in all_logged() if "dead-letter" in each]
    assert "The activity %s is dead-lettered: %s" in lines
    for line in lines:
        assert columns(FILES["dead-letters"], line)
    # Microsoft.Azure.WebJobs.Extensions.Storage.Queues, QueueProcessor
    host = "Message has reached MaxDequeueCount of 1000. Moving message to queue 'x-poison'."
    assert columns(FILES["dead-letters"], host)
    assert columns(FILES["dead-letters"], "The activity c/a has been processed already") is None


@pytest.mark.parametrize("line", HOST_LINES, ids=lambda line: line.code)
def test_lines_of_the_host(line: HostLine) -> None:
    """The doctor's query counts each line, as the host logs it, in its own column only."""
    query, text = FILES["doctor/last-day"], HOST_TEXTS[line.column]
    counted = re.findall(r'(\w+) = \w+\([^"]*?, (\w*Message \w+ "[^"]+")\)', query)
    message, innermost = ("", text) if line.code == "worker-missing" else (text, "")
    found = [
        column
        for column, predicate in counted
        if columns(f"table\n| where {predicate}", message, InnermostMessage=innermost)
    ]
    assert found == [line.column]
    assert f"{line.column} = tolong(coalesce({line.column}, 0))" in query
    assert line.says in text


def test_the_wait_in_the_queue() -> None:
    """It is read from the line in which the host says which message it has."""
    *_, delivered = FILES["queue"].split("let Delivered")
    # As Functions hosts of version 4 log it, seen in many public logs.
    line = (
        "Trigger Details: MessageId: 229e4961-bfaf-46da-bb17-040ffc2bbf91, DequeueCount: 1,"
        " InsertedOn: 2026-01-05T13:53:12.000+00:00"
    )
    row = columns(delivered, line, OperationName="turns")
    assert row is not None
    assert datetime.datetime.fromisoformat(row["InsertedOn"]).year == 2026
    assert columns(delivered, line, OperationName="notifications") is None


def test_spans_have_what_queries_ask_for() -> None:
    """Each name and each property of a span is one that the code writes."""
    queries = "".join(text for name, text in FILES.items() if name.startswith("telemetry/"))
    asked = re.findall(r"(?:Properties\[|Name \w+ |Name == )'([^']+)'", queries)
    assert {"bot.retries", "bot.queue_wait", "agents.connector."} <= set(asked)
    for text in asked:
        assert raised(text)


def test_functions_have_the_names_that_queries_ask_for() -> None:
    """messages, turns and notifications are functions of the app."""
    source = (ROOT / "function_app.py").read_text("utf-8")
    for name in ("messages", "turns", "notifications"):
        assert f"async def {name}(" in source
