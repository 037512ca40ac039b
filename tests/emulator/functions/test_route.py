"""Which requests a route takes."""

from typing import Any

import pytest

from emulator.functions.errors import HostError
from emulator.functions.route import Route
from emulator.functions.workers.function import Function

GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def http_function(route: str, name: str = "f", **trigger: Any) -> Function:
    """A function as a worker indexes it."""
    bindings = ({"type": "httpTrigger", "name": "req", "route": route, **trigger},)
    return Function(id=GUID, name=name, bindings=bindings)


MATCHES: list[tuple[str, str, dict[str, str] | None]] = [
    ("messages", "/api/messages", {}),
    ("messages", "/api/messages/", {}),
    ("messages", "/API/Messages", {}),
    ("messages", "/api/messages/x", None),
    ("messages", "/api/xmessages", None),
    ("a.b", "/api/axb", None),
    ("/slashes/", "/api/slashes", {}),
    ("x/{id}", "/api/x/Ab", {"id": "Ab"}),
    ("x/{id}", "/api/x", None),
    ("x/{id}", "/api/x/a/b", None),
    ("x/{id}/y", "/api/x/1/y", {"id": "1"}),
    ("x/{id?}", "/api/x", {}),
    ("x/{id?}", "/api/x/1", {"id": "1"}),
    ("x/{id:int}", "/api/x/-12", {"id": "-12"}),
    ("x/{id:int}", "/api/x/1a", None),
    ("x/{id:int?}", "/api/x", {}),
    ("x/{id:long}", "/api/x/123456789012", {"id": "123456789012"}),
    ("x/{id:guid}", f"/api/x/{GUID}", {"id": GUID}),
    ("x/{id:guid}", "/api/x/0f8fad5b", None),
    ("x/{id:alpha}", "/api/x/ab", {"id": "ab"}),
    ("x/{id:alpha}", "/api/x/a1", None),
    ("x/{id:bool}", "/api/x/True", {"id": "True"}),
    ("v{id:int}", "/api/v12", {"id": "12"}),
    ("v{id:int}", "/api/12", None),
    ("v{id:int}/x", "/api/v/x", None),
    ("x/{name}.png", "/api/x/a.b.png", {"name": "a.b"}),
    ("x/{name}.png", "/api/x/a_png", None),
    ("x/{name}.{kind}", "/api/x/a.b.c", {"name": "a.b", "kind": "c"}),
    ("x/{name}.{kind}", "/api/x/a/b.c", None),
    ("x/{*rest}", "/api/x/a/b", {"rest": "a/b"}),
    ("x/{*rest}", "/api/x", {}),
    ("x/{id:int}/{*rest}", "/api/x/1/a/b", {"id": "1", "rest": "a/b"}),
]


@pytest.mark.parametrize(("route", "path", "params"), MATCHES)
def test_route_matches(route: str, path: str, params: dict[str, str] | None) -> None:
    """Literals match in any case, parameters by their form and constraint."""
    assert Route(http_function(route), "api").params("GET", path) == params


def test_route_takes_every_method_unless_it_lists_some() -> None:
    """A binding's methods decide; without any Azure's host takes them all."""
    assert Route(http_function("x"), "api").params("DELETE", "/api/x") == {}
    listed = Route(http_function("x", methods=["put"]), "api")
    assert listed.params("PUT", "/api/x") == {}
    assert listed.params("GET", "/api/x") is None


def test_route_is_above_anonymous_unless_it_says_so() -> None:
    """A binding without a level has the function level, as in Azure."""
    assert Route(http_function("x"), "api").needs_key
    assert not Route(http_function("x", authLevel="ANONYMOUS"), "api").needs_key


@pytest.mark.parametrize(
    "route", ["x/{id:min(3)}", "x/{id=3}", "x/{}", "x/v{id", "x/a{b=1}", "x/a.{b?}", "x/a{*b}"]
)
def test_unknown_route_form_is_refused(route: str) -> None:
    """A form that this host cannot match is named rather than guessed."""
    with pytest.raises(HostError, match="Function f: the route's part"):
        Route(http_function(route), "api")
