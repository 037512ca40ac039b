"""What the pages say of costs is what prices, measurements and templates give."""

import json
import re

import pytest

from auth.certificates.versions import CHECK_INTERVAL_SECONDS
from benchmarks.state.storage.call import READ_DOLLARS, WRITE_DOLLARS
from tests.support.bicep.stand_in import Evaluated
from tests.support.project import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
PARTS = (ROOT / "docs" / "costs.md").read_text("utf-8")
MEASURED = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")

GB_SECOND, EXECUTION, LOG_GB, READY_GB_SECOND = 0.000026, 0.4e-6, 2.3, 0.000004
INSTANCE_GB, AT_ONCE, TURNS = 2, 16, 1_000_000
MONTH_SECONDS = 2_628_000
TIMES = f" {chr(0xD7)} "
RULE = "Microsoft.Insights/scheduledQueryRules"
RULE_DOLLARS, CHEAPEST = 0.5, {"PT15M", "PT30M", "PT1H", "PT6H", "P1D"}
"""The price of an alert rule a month, and how often it may run for that price."""

RECORD_KB = 1
"""What a record of the log takes."""

CALL_KB = 2
"""What a line on a call of the vault takes, as the page estimates."""

CALLS, SIGNATURES_AN_HOUR = 2, 2
"""What an instance asks the vault each time that it looks for a newer certificate, at most; and how
often it signs."""

FAILURE_KB = 4.7
"""What the host logs of an invocation that fails, as was seen in version 4.1037."""

SENT_DOLLARS, WRITTEN_DOLLARS = 0.25, 2.0
"""The prices of a million tokens, as the page has them."""

FIRST, HISTORY, CALL, WRITTEN = 300, 8000, 350, 500
"""The tokens that the page assumes: instructions and tools, a full history, a call with its result,
and what a request writes."""

TAKEN_OVER_SECONDS, RENEWED_SECONDS = 10, 7
"""When a function that runs for long hides its message itself, and how often."""

WAYS = {
    "Inline, no state": (1, "", 1),
    "Inline, conversation state": (1, "this project, Inline", 1),
    "Inline, user state too": (1, "this project, Inline, user state too", 1),
    "Queued, conversation state": (2, "this project, Queued, 1 instance", 5),
}
"""By row: the executions of a turn, the row of the measurement, and the records of the log."""


def storage_dollars(row: str) -> float:
    """The measured price of a million turns' calls to storage; 0 if there is no measurement."""
    if not row:
        return 0.0
    found = re.search(rf"^\| {re.escape(row)} \| [\d.]+ \| ([\d.]+) \|", MEASURED, re.M)
    assert found, row
    return float(found[1])


@pytest.mark.parametrize("way", WAYS)
def test_a_row(way: str) -> None:
    """Executions, instance seconds, storage and logs, and the two sums."""
    executions, measured, records = WAYS[way]
    calls = TURNS * executions * EXECUTION
    alone = TURNS * executions * INSTANCE_GB * GB_SECOND
    shared, storage = alone / AT_ONCE, storage_dollars(measured)
    logs = TURNS * records * RECORD_KB / 1e6 * LOG_GB
    cells = [calls, alone, shared, storage, logs]
    sums = [calls + each + storage + logs for each in (alone, shared)]
    row = [f"{each:.2f}" for each in cells] + [f"**{each:.2f}**" for each in sums]
    assert f"| {way} | {' | '.join(row)} |" in PAGE


def test_prices_are_shown() -> None:
    """The page names each price that the table is made of."""
    for price in ("0.000026", "0.40", "2.30", f"{READY_GB_SECOND:.6f}"):
        assert f"${price}" in PAGE
    assert f"${WRITE_DOLLARS:.2f} and ${READ_DOLLARS:.2f}" in PAGE


def test_an_instance_that_is_always_ready() -> None:
    """A month's wait of one instance."""
    month = INSTANCE_GB * MONTH_SECONDS * READY_GB_SECOND
    assert f"| ${month:.0f} for each; " in PARTS
    factors = ("2 GB", "2,628,000 s", "$0.000004")
    assert f"{TIMES.join(factors)} = ${month:.2f} a month" in PAGE


def test_alerts() -> None:
    """Both pages say what the rules of the templates cost."""
    rules = Evaluated(ROOT / "infra" / "main.bicep").of_type(RULE)
    assert {each.body["properties"]["evaluationFrequency"] for each in rules} <= CHEAPEST
    dollars = f"${RULE_DOLLARS * len(rules):.2f}"
    assert f"| {dollars}: ${RULE_DOLLARS:.2f} for a rule" in PARTS
    assert f"alerts ({dollars} a month)" in PAGE


def test_the_record_of_the_vault() -> None:
    """Lines, size and price of what one busy instance asks the vault in a month."""
    hours = MONTH_SECONDS / 3600
    lines = CALLS * MONTH_SECONDS / CHECK_INTERVAL_SECONDS + SIGNATURES_AN_HOUR * hours
    gigabytes = lines * CALL_KB / 1e6
    assert f"{lines:,.0f} a month at most for an instance" in PARTS
    assert f"so {gigabytes * 1000:.0f} MB if a line takes {CALL_KB} kB" in PARTS
    assert f"and ${gigabytes * LOG_GB:.2f} beyond them" in PARTS


def test_an_app_that_cannot_start() -> None:
    """What its failures write into the log in an hour, and what its instances cost."""
    host = json.loads((ROOT / "host.json").read_text("utf-8"))["extensions"]["queues"]
    *_, seconds = host["visibilityTimeout"].split(":")
    megabytes = 3600 / int(seconds) * FAILURE_KB / 1000
    assert f"writes {FAILURE_KB} kB, which is {megabytes:.1f} MB an hour for a message" in PAGE
    logs = f"{megabytes:.1f} GB an hour, for ${megabytes * LOG_GB:.2f}"
    assert f"A thousand messages write {logs}." in PAGE
    [site] = Evaluated(ROOT / "infra" / "main.bicep").of_type("Microsoft.Web/sites")
    scale = site.body["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    most = scale["maximumInstanceCount"]
    assert f"{most}, the most that" in PAGE
    assert f"cost ${most * INSTANCE_GB * 3600 * GB_SECOND:.2f} an hour" in PAGE


def test_a_long_turn() -> None:
    """A minute of an instance, and the operations that keep the turn's message hidden."""
    assert f"${60 * INSTANCE_GB * GB_SECOND:.4f} for a minute" in PARTS
    operations = len(range(TAKEN_OVER_SECONDS, 60, RENEWED_SECONDS)) + 1  # and its deletion
    assert operations == 9
    assert f"nine for a turn of a minute, so ${operations * READ_DOLLARS:.2f} for" in PARTS


@pytest.mark.parametrize(("start", "requests"), [(FIRST, 2), (HISTORY, 2), (HISTORY, 5)])
def test_an_answer_of_a_model(start: int, requests: int) -> None:
    """Each request sends the conversation and the rounds before."""
    sent = sum(start + CALL * each for each in range(requests))
    written = WRITTEN * requests
    thousand = (sent * SENT_DOLLARS + written * WRITTEN_DOLLARS) / 1000
    assert f"| {requests} | {sent:,} | {written:,} | ${thousand:.2f} |" in PARTS
    if requests == 5:
        attempts = 5
        assert f"costs ${attempts * thousand / 1000:.2f} in all five attempts" in PARTS
