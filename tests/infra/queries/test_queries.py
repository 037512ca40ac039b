"""The queries are correct Kusto for the workspace's tables, and the same wherever they stand."""

import json
import re

import pytest

from bot_workbench.admin.migrate.deployed_bot.deployed_bot import QUERY
from infra.workbook import FILE, QUERIES, text
from tests.support.kusto.analysis import findings
from tests.support.project import ROOT

FOLDER = ROOT / "infra" / "queries"
SHOWN = {
    file.relative_to(FOLDER).with_suffix("").as_posix(): file.read_text("utf-8")
    for file in sorted(FOLDER.rglob("*.kql"))
}
FILES = {**SHOWN, "doctor/last-day": QUERY.read_text("utf-8")}
"""What `bot doctor` asks is shown on no page."""

BLOCK = re.compile(r"^ *```kusto\n(.*?)^ *```$", re.M | re.S)
BLOCKS = {
    f"{page.name}:{number}": block
    for page in sorted(ROOT.glob("docs/*.md"))
    for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")), start=1)
}
IN_SHELL = {
    f"{page.name} QUERY {number}": query
    for page in sorted(ROOT.glob("docs/*.md"))
    for number, query in enumerate(re.findall(r"^QUERY='(.*)'$", page.read_text("utf-8"), re.M))
}
NOT_IN_THE_WORKBOOK = {"conversation", "deployment", "signatures"}
"""Somebody must write an id or a time into them first; or not every bot has a vault."""

MUTATIONS = (
    ("answers", "AppRequests", "Requests"),
    ("answers", "ItemCount", "Count"),
    ("answers", "sumif", "sum_if"),
    ("answers", "Name has", "Name haz"),
    ("answers", "order by", "ordered by"),
    ("answers", "ago(24h)", "ago('a day')"),
    ("refusals", "Reason, 0, 160", "Reason, 'a', 160"),
    ("refusals", "Refusals desc", "Refusal desc"),
    ("outages", "extract(", "extract_first("),
    ("outages", "take_any(Reason)", "take_any(Reasons)"),
    ("sign-in", "min(DaysLeft)", "min(Days)"),
    ("sign-in", "| where Warning", "where Warning"),
    ("failures", "split(Message, '\\n')", "split(Message)"),
    ("queue", "let Waiting", "let Waited"),
    ("queue", "kind=fullouter", "kind=outer"),
    ("latency", "on Name, Hour", "on Name, Hours"),
    ("costs", "where IsBillable", "where Quantity"),
    ("deployment", "let Deployed", "let Deploy"),
    ("doctor/last-day", "AppExceptions", "AppException"),
    ("doctor/last-day", "InnermostMessage", "InnerMessage"),
    ("signatures", "CallerIpAddress", "CallerIPAddress"),
    ("telemetry/channel-latency", "AppDependencies", "Dependencies"),
    ("telemetry/queue-wait", "DurationMs", "Duration"),
)


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """What Kusto says of each query, each block of the documentation, and each mutation."""
    mutated = {
        f"mutation {number}": FILES[name].replace(old, new)
        for number, (name, old, new) in enumerate(MUTATIONS)
    }
    return findings({**FILES, **BLOCKS, **IN_SHELL, **mutated})


@pytest.mark.parametrize("name", [*FILES, *BLOCKS, *IN_SHELL])
def test_a_query_is_correct(name: str, found: dict[str, list[str]]) -> None:
    """Tables, columns, types, functions and operators are Kusto's."""
    assert found[name] == []


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
def test_a_wrong_query_is_noticed(number: int, found: dict[str, list[str]]) -> None:
    """A wrong table, column, type, function or operator is an error."""
    name, old, _ = MUTATIONS[number]
    assert old in FILES[name]
    assert found[f"mutation {number}"]


@pytest.mark.parametrize("name", SHOWN)
def test_a_query_says_its_question(name: str) -> None:
    """The first line is a comment with the question; needs of telemetry or a vault stand there."""
    first = FILES[name].partition("\n")[0]
    assert re.match(r"// [A-Z].*\?", first)
    assert name.startswith("telemetry/") is ("Needs telemetry" in first)
    assert ("AZKVAuditLogs" in FILES[name]) is ("Needs a vault" in first)


@pytest.mark.parametrize("name", SHOWN)
def test_the_documentation_shows_each_query(name: str) -> None:
    """docs/operations.md has every query, letter for letter."""
    assert FILES[name] in BLOCKS.values()


def test_the_documentation_has_no_other_queries() -> None:
    """What a page shows is in a file, which the workbook or an alert can use."""
    assert set(BLOCKS.values()) <= set(SHOWN.values())


def test_the_workbook_is_made_of_the_queries() -> None:
    """infra/workbook.json is what `python -m infra.workbook` writes."""
    assert FILE.read_text("utf-8") == text()
    assert set(QUERIES) == set(SHOWN) - NOT_IN_THE_WORKBOOK


def test_the_workbook_names_its_workspace_once_replaced() -> None:
    """The placeholder stands where modules/workbook.bicep puts the workspace, and nowhere else."""
    content = json.loads(text().replace("WORKSPACE_ID", "/subscriptions/s/workspaces/w"))
    assert content["fallbackResourceIds"] == ["/subscriptions/s/workspaces/w"]
    queries = [item["content"] for item in content["items"] if item["type"] == 3]
    assert {query["crossComponentResources"][0] for query in queries} == {
        "/subscriptions/s/workspaces/w"
    }


@pytest.mark.parametrize("name", FILES)
def test_sampled_rows_are_weighted(name: str) -> None:
    """A row that was sampled stands for ItemCount of its kind; each span of telemetry is one."""
    query = FILES[name].replace("sum(Quantity)", "")
    sums = re.findall(r"\bsum(?:if)?\(\s*([^,)]*)", query)
    assert all("ItemCount" in each for each in sums)
    if "AppDependencies" in query:
        assert "percentile(" not in query


@pytest.mark.parametrize("name", FILES)
def test_a_refusal_is_no_success(name: str) -> None:
    """The host calls every request a success that its function answered, with whatever status.

    Source: WebJobsTelemetryInitializer of azure-webjobs-sdk.
    """
    if "AppRequests" in FILES[name]:
        for condition in re.findall(r"Success == false.*", FILES[name]):
            assert re.match(r"Success == false or ResultCode startswith ['\"]5", condition)


def test_the_doctor_counts_the_dead_letters_that_the_query_lists() -> None:
    """What the app sets aside, and what the host moves to a poison queue."""
    found = re.findall(r"Message (\w+) '([^']+)'", FILES["dead-letters"])
    counted = re.findall(r'Message (\w+) "([^"]+)"', FILES["doctor/last-day"])
    assert found
    assert set(found) <= set(counted)


@pytest.mark.parametrize("name", ["latency", "deployment", "costs", "doctor/last-day"])
def test_spans_of_telemetry_are_no_requests(name: str) -> None:
    """CONSUMER spans, `process QUEUE`, are rows of AppRequests, beside the host's."""
    assert re.search("Name !startswith ['\"]process ['\"]", FILES[name])
