"""docs/operations.md speaks of what the queries show and of what the code logs."""

import re

import pytest

from tests.infra.queries.source_texts import raised
from tests.support.project import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### (\d+)\. [^\n]+\n(.*?)(?=^##)", PAGE, re.M | re.S))
HOSTS = {"Message has reached MaxDequeueCount", "Delivered"}
"""What the host logs, or a column that is renamed in a join."""

NOT_TEXTS = re.compile(r"^(?:\d\w\w(?: .*)?|Turn \.\.\.: .*|no answer)$")


def test_there_are_ten_questions() -> None:
    """Each has a query."""
    assert list(SECTIONS) == [str(number) for number in range(1, 11)]
    assert all("```kusto\n" in section for section in SECTIONS.values())


@pytest.mark.parametrize("number", SECTIONS)
def test_what_somebody_sees_is_there(number: str) -> None:
    """The first column of a table has columns and values of the query, or texts of the code."""
    queries = "".join(re.findall(r"```kusto\n(.*?)```", SECTIONS[number], re.S))
    prose = re.sub(r"```.*?```", "", SECTIONS[number], flags=re.S)
    firsts = re.findall(r"^\| ([^|]+) \|", prose, re.M)
    for text in re.findall(r"`([^`]+)`", "\n".join(firsts)):
        if text not in HOSTS and text not in queries and not NOT_TEXTS.match(text):
            assert raised(text)


def test_alerts_name_their_question() -> None:
    """What an email refers to is about that."""
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text("utf-8")
    files = re.findall(
        r"question (\d+).*?loadTextContent\('../queries/([\w-]+)\.kql'\)", alerts, re.S
    )
    assert len(files) == 3
    for number, name in files:
        query = (ROOT / "infra" / "queries" / f"{name}.kql").read_text("utf-8")
        assert query in SECTIONS[number]
