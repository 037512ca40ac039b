"""OData queries: filters hold as Graph's do, and what is not understood is refused."""

import pytest

from emulator.graph.errors import GraphError
from emulator.graph.requests.query import Filter, page

ITEM = {
    "appId": "AB",
    "name": "O'Brien (old)",
    "none": None,
    "flag": True,
    "uris": ["api://a", "api://b"],
    "status": {"code": "x"},
    "when": "2027-01-15T08:00:00Z",
}


@pytest.mark.parametrize(
    "text",
    [
        "appId eq 'ab'",
        "name eq 'O''Brien (old)'",
        "startswith(name,'o''b')",
        "startswith(name, 'O') and appId eq 'AB'",
        "appId eq 'no' or appId eq 'AB'",
        "appId eq 'AB' or appId eq 'AB' and appId eq 'no'",
        "(appId eq 'AB' or appId eq 'AB') and not (appId eq 'no')",
        "appId ne 'no'",
        "none eq null",
        "absent eq null",
        "flag eq true",
        "uris/any(s:s eq 'api://b')",
        "uris/any(s: s eq 'no' or startswith(s, 'API'))",
        "status/code eq 'x'",
        "when ge 2027-01-15T08:00:00Z and when lt 2027-01-15T08:00:01Z",
        "when gt 2027-01-15T07:00:00Z and when le 2027-01-15T08:00:00Z",
    ],
)
def test_a_filter_holds(text: str) -> None:
    """Text is compared without regard to case; `and` binds closer than `or`."""
    assert Filter(text).holds(ITEM)


@pytest.mark.parametrize(
    "text",
    [
        "appId eq 'no'",
        "startswith(name,'Brien')",
        "startswith(absent,'x')",
        "(appId eq 'AB' or appId eq 'AB') and appId eq 'no'",
        "not (appId eq 'AB')",
        "uris/any(s:s eq 'api://c')",
        "absent/any(s:s eq 'x')",
        "none ge 'x'",
        "when gt 2027-01-15T08:00:00Z",
    ],
)
def test_a_filter_does_not_hold(text: str) -> None:
    """What the item lacks, or has otherwise, does not match."""
    assert not Filter(text).holds(ITEM)


@pytest.mark.parametrize(
    "text",
    [
        "appId",
        "appId eq",
        "appId is 'AB'",
        "appId eq 'AB",
        "appId eq 'AB' and",
        "(appId eq 'AB'",
        "startswith(name)",
        "uris/any(s)",
        "appId eq 'AB' 'CD'",
        "#",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """A broken filter is a bad request, never a filter that lets everything through."""
    with pytest.raises(GraphError) as refused:
        Filter(text)
    assert refused.value.status == 400


@pytest.mark.parametrize("query", [{"$top": "0"}, {"$top": "many"}, {"$skiptoken": "-1"}])
def test_paging_options_are_numbers(query: dict[str, str]) -> None:
    """Other options are refused."""
    with pytest.raises(GraphError):
        page([ITEM], query, 100)


def test_a_page_is_full_before_the_next_one_starts() -> None:
    """The last page has no token, even when it is full."""
    items = [{"number": number} for number in range(4)]
    assert page(items, {"$top": "2"}, 100) == (items[:2], "2")
    assert page(items, {"$top": "2", "$skiptoken": "2"}, 100) == (items[2:], "")
    assert page(items, {}, 3) == (items[:3], "3")
