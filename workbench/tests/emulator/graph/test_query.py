"""OData queries: filters hold as Graph's do, and what is not understood is refused."""

import pytest

from bot_workbench.emulator.graph.errors import GraphError
from bot_workbench.emulator.graph.requests.entity_type import EntityType
from bot_workbench.emulator.graph.requests.query import Filter, page, selected

ITEM = {
    "appId": "AB",
    "name": "O'Brien (old)",
    "none": None,
    "flag": True,
    "uris": ["api://a", "api://b"],
    "status": {"code": "x"},
    "when": "2027-01-15T08:00:00Z",
    "number": 5,
}
KIND = EntityType("item", frozenset([*ITEM, "absent"]))


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
        "number eq 5 and number gt 4",
        "number ne '5'",
    ],
)
def test_a_filter_holds(text: str) -> None:
    """Text is compared without regard to case; `and` binds closer than `or`."""
    assert Filter(text, KIND).holds(ITEM)


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
    assert not Filter(text, KIND).holds(ITEM)


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
        Filter(text, KIND)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "text",
    [
        "appID eq 'AB'",
        "startswith(nam,'O')",
        "uri/any(s:s eq 'api://a')",
        "uris/any(s:t eq 'api://a')",
        "uris/any(s:s eq 'api://a') and s eq 'api://a'",
    ],
)
def test_a_filter_by_an_unknown_property_is_refused(text: str) -> None:
    """A typo in its name is a bad request, never an empty list."""
    with pytest.raises(GraphError, match="Could not find a property named") as refused:
        Filter(text, KIND)
    assert refused.value.status == 400


def test_values_of_two_types_have_no_order() -> None:
    """Comparing them by order is a bad request."""
    with pytest.raises(GraphError):
        Filter("flag gt 'x'", KIND).holds(ITEM)


@pytest.mark.parametrize("query", [{"$select": "appId,nam"}, {"$orderby": "name"}])
def test_an_unknown_property_or_option_is_refused(query: dict[str, str]) -> None:
    """The property is not left out, and the option is not ignored."""
    for ask in (lambda: selected(ITEM, query, KIND), lambda: page([], query, KIND, 100)):
        with pytest.raises(GraphError) as refused:
            ask()
        assert refused.value.status == 400


def test_a_selected_property_without_a_value_is_null() -> None:
    """It is not left out."""
    assert selected(ITEM, {"$select": "appId,absent"}, KIND) == {"appId": "AB", "absent": None}


@pytest.mark.parametrize("query", [{"$top": "0"}, {"$top": "many"}, {"$skiptoken": "-1"}])
def test_paging_options_are_numbers(query: dict[str, str]) -> None:
    """Other options are refused."""
    with pytest.raises(GraphError):
        page([ITEM], query, KIND, 100)


def test_a_page_is_full_before_the_next_one_starts() -> None:
    """The last page has no token, even when it is full."""
    items = [{"number": number} for number in range(4)]
    assert page(items, {"$top": "2"}, KIND, 100) == (items[:2], "2", None)
    assert page(items, {"$top": "2", "$skiptoken": "2"}, KIND, 100) == (items[2:], "", None)
    assert page(items, {}, KIND, 3) == (items[:3], "3", None)
