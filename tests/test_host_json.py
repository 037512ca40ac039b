"""host.json decides which of the host's log lines are stored, and that none of them is sampled.

It also decides how long the host goes on with a message, and how long an invocation may take.
"""

import datetime
import json
from collections.abc import Mapping

import pytest

from tests.support.project import ROOT

HOST = json.loads((ROOT / "host.json").read_text("utf-8"))
LOGGING = HOST["logging"]
QUEUES = HOST["extensions"]["queues"]

LEVELS = ("Trace", "Debug", "Information", "Warning", "Error", "Critical", "None")

HOST_CATEGORIES = ("Microsoft.Azure.WebJobs.", "Function.", "Worker.", "Host.")
"""The beginnings of the categories that the host's own filter lets through, from Information on.

Source: azure-functions-host, ScriptLoggingBuilderExtensions and ScriptConstants.
"""


def arrives(levels: Mapping[str, str], category: str, level: str) -> bool:
    """Whether a line arrives in Application Insights.

    Source: .NET's LoggerRuleSelector, and the order in which the host's ScriptHostBuilderExtensions
    adds its own filter and host.json's levels.

    Args:
        levels: host.json's logging.logLevel.
        category: the line's.
        level: the line's.
    """
    matching = [each for each in levels if category.lower().startswith(each.lower())]
    if matching:
        lowest = levels[max(matching, key=len)]
    elif "default" in levels:
        lowest = levels["default"]  # which takes the place of the host's own filter
    else:
        lowest = "Information" if category.startswith(HOST_CATEGORIES) else "None"
    return LEVELS.index(level) >= LEVELS.index(lowest)


POLL = "Microsoft.Azure.WebJobs.Extensions.Storage.Common.Listeners.QueueListener"
ARRIVES = (
    ("Function.messages", "Error", "why a call failed in the host"),
    ("Function.messages.User", "Information", "what the code of `messages` logs"),
    ("Function.turns", "Information", "Trigger Details, which infra/queries/queue.kql reads"),
    ("Function.turns.User", "Information", "what a queued turn logs"),
    ("Function.morning.User", "Information", "what an author's function logs"),
    ("Host.Results", "Information", "each invocation, as a request"),
    ("Host.Aggregator", "Information", "sums of invocations, as metrics"),
    ("Host.Function.Console", "Information", "what the app prints"),
    ("Host.Startup", "Error", "The 'X' function is in error"),
    ("Worker.LanguageWorkerChannel.python.1", "Information", "how a worker starts"),
    ("Microsoft.Azure.WebJobs.Hosting.JobHostService", "Information", "Starting JobHost"),
    (
        "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcFunctionInvocationDispatcher",
        "Error",
        "Exceeded language worker restart retry count",
    ),
    (
        "Microsoft.Azure.WebJobs.Host.Queues.QueueProcessor",
        "Warning",
        "Message has reached MaxDequeueCount, which infra/queries/dead-letters.kql reads, too",
    ),
    ("Azure.Storage.Queues.QueueServiceClient", "Warning", "Message decoding has failed"),
)
DOES_NOT_ARRIVE = (
    ("Azure.Core", "Information", "[1] and [5]: request and response of each poll"),
    ("Azure.Core", "Warning", "[8]: 404 for each poll of a queue that nobody has created"),
    ("Azure.Storage.Queues.QueueServiceClient", "Information", "nothing that anybody looks for"),
    ("Azure.Identity", "Information", "each token"),
    ("Azure.Identity", "Warning", "each way to sign in that is not set up"),
    ("Function.messages", "Information", "two lines for each request, which AppRequests has"),
    ("Function.turns.User", "Debug", "what the app logs for developers"),
    (POLL, "Debug", "each poll, and how long it waits for the next"),
    ("Microsoft.AspNetCore.Hosting.Diagnostics", "Information", "each request once more"),
    ("System.Net.Http.HttpClient.Default.LogicalHandler", "Information", "the host's own calls"),
)


@pytest.mark.parametrize(
    ("category", "level", "expected"),
    [
        pytest.param(category, level, expected, id=f"{category} {level}: {what}")
        for table, expected in ((ARRIVES, True), (DOES_NOT_ARRIVE, False))
        for category, level, what in table
    ],
)
def test_what_arrives_in_the_log(category: str, level: str, expected: bool) -> None:
    """The app's lines and the host's arrive, and nothing for each poll or twice for a request."""
    assert arrives(LOGGING["logLevel"], category, level) is expected


def test_no_line_of_the_log_is_sampled_away() -> None:
    """An alert searches for single lines."""
    kept = LOGGING["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";")
    assert {"Request", "Exception", "Trace"} <= set(kept)


def test_the_host_goes_on_with_a_message_for_hours() -> None:
    """An app that is broken for less loses no message: the host moves none to a poison queue.

    The base counts attempts itself. At 15 seconds, docs/operations.md says what this costs.
    """
    pause = seconds(QUEUES["visibilityTimeout"])
    assert pause == 15
    assert QUEUES["maxDequeueCount"] * pause >= 4 * 3600


def test_how_long_an_invocation_may_take() -> None:
    """The host kills a worker after ten minutes. A turn is cancelled two minutes earlier."""
    assert seconds(HOST["functionTimeout"]) == 600


def test_how_messages_are_encoded() -> None:
    """The host reads messages as the app and its commands write them."""
    assert QUEUES["messageEncoding"] == "base64"


def seconds(text: str) -> float:
    """The length of a TimeSpan, as host.json has it: `hh:mm:ss`."""
    moment = datetime.time.fromisoformat(text)
    return datetime.timedelta(
        hours=moment.hour, minutes=moment.minute, seconds=moment.second
    ).total_seconds()
