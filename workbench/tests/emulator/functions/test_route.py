"""Which requests a route takes."""

from typing import Any

import pytest

from bot_workbench.emulator.functions.errors import HostError
from bot_workbench.emulator.functions.route import ADMIN, ANONYMOUS, FUNCTION, Route
from bot_workbench.emulator.functions.workers.function import Function

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
    ("messages/", "/api/messages", {}),
    ("", "/api/f", {}),
    (" ", "/api/f", {}),
    ("a.b", "/api/axb", None),
    ("a*b", "/api/a*b", {}),
    ("~/x", "/api/~/x", {}),
    ("{{x}}", "/api/{x}", {}),
    ("x/{id}", "/api/x/Ab", {"id": "Ab"}),
    ("x/{id}", "/api/x", None),
    ("x/{id}", "/api/x/a/b", None),
    ("x/{id}/y", "/api/x/1/y", {"id": "1"}),
    ("x/{a-b}", "/api/x/1", {"a-b": "1"}),
    ("x/{id?}", "/api/x", {}),
    ("x/{id?}", "/api/x/1", {"id": "1"}),
    ("x/{id?}/y", "/api/x/y", None),
    ("x/{a=5}", "/api/x", {"a": "5"}),
    ("x/{a=5}", "/api/x/6", {"a": "6"}),
    ("x/{a=5}/{b?}", "/api/x", {"a": "5"}),
    ("x/{a=5}/{b?}", "/api/x/6/7", {"a": "6", "b": "7"}),
    ("x/{a=5}/y", "/api/x/y", None),
    ("x/{a:int=z}", "/api/x", None),
    ("v{id:int}", "/api/v12", {"id": "12"}),
    ("v{id:int}", "/api/12", None),
    ("v{id:int}/x", "/api/v/x", None),
    ("x/{name}.png", "/api/x/a.b.png", {"name": "a.b"}),
    ("x/{name}.png", "/api/x/a_png", None),
    ("x/{name}.{kind}", "/api/x/a.b.c", {"name": "a.b", "kind": "c"}),
    ("x/{name}.{kind}", "/api/x/a/b.c", None),
    ("x/{name}.{kind?}", "/api/x/a.b.c", {"name": "a.b", "kind": "c"}),
    ("x/{name}.{kind?}", "/api/x/a", {"name": "a"}),
    ("x/{name}.{kind?}", "/api/x/a.", None),
    ("x/{*rest}", "/api/x/a/b", {"rest": "a/b"}),
    ("x/{**rest}", "/api/x/a//b/", {"rest": "a//b/"}),
    ("x/{*rest}", "/api/x", {}),
    ("x/{*rest}", "/api/x/", {}),
    ("x/{*rest}", "/api/x//a", None),
    ("x/{*rest=a}", "/api/x", {"rest": "a"}),
    ("x/{*rest:int}", "/api/x", None),
    ("x/{id:int}/{*rest}", "/api/x/1/a/b", {"id": "1", "rest": "a/b"}),
]


@pytest.mark.parametrize(("route", "path", "params"), MATCHES)
def test_route_matches(route: str, path: str, params: dict[str, str] | None) -> None:
    """Literals match in any case, parameters by their form."""
    assert Route(http_function(route), "api").params("GET", path) == params


@pytest.mark.parametrize("prefix", ["", "v1/x", "/v1"])
def test_prefix(prefix: str) -> None:
    """The prefix may be empty or have several segments; an empty one allows a slash to follow."""
    route = Route(http_function("x" if prefix else "/x"), prefix)
    assert route.params("GET", f"/{prefix}/x".replace("//", "/")) == {}


CONSTRAINTS = [
    ("alpha", ["ab", "AB"], ["a1", "\u00e4"]),
    ("bool", ["True", "false"], ["1"]),
    ("datetime", ["2026-12-31", "2026-12-31T07:32:00Z"], ["2026-13-01", "20261231", "x"]),
    ("decimal", ["1", "-1.5", "1,000.5"], ["1e5", "x", "."]),
    ("double", ["1", "-1.5e-3", ".5", "NaN"], ["x", "1e"]),
    ("file", ["a.txt", ".git"], ["a", "a."]),
    ("float", ["1.5"], ["x"]),
    ("guid", [GUID, GUID.replace("-", ""), f"{{{GUID}}}"], ["0f8fad5b"]),
    ("int", ["-12", "+1", "2147483647"], ["1a", "2147483648", "1_0", "1" * 5000]),
    ("INT", ["1"], ["x"]),
    ("length(3)", ["abc"], ["ab", "abcd"]),
    ("length(1, 2)", ["a", "ab"], ["abc"]),
    ("long", ["123456789012"], ["9223372036854775808"]),
    ("max(3)", ["3", "-5"], ["4", "x"]),
    ("maxlength(2)", ["ab"], ["abc"]),
    ("min(3)", ["3"], ["2", "x"]),
    ("minlength(2)", ["ab"], ["a"]),
    ("nonfile", ["a", "a."], ["a.txt"]),
    ("range(-1,5)", ["-1", "5"], ["6", "x"]),
    ("regex(b)", ["abc", "B"], ["a"]),
    (r"regex(^\d{{2}}$)", ["12"], ["123"]),
    ("regex(^(a|b)c:d=e$)", ["ac:d=e"], ["cc:d=e"]),
    ("required", ["a"], []),
    ("int:min(1)", ["1"], ["0", "x"]),
    ("regex(^a):length(2)", ["ab"], ["a", "ba"]),
    (":int:", ["1"], ["x"]),
]


@pytest.mark.parametrize(("constraint", "taken", "others"), CONSTRAINTS)
def test_constraint(constraint: str, taken: list[str], others: list[str]) -> None:
    """A parameter takes the values that its constraints accept, and an optional one none, too."""
    route = Route(http_function(f"{{a:{constraint}}}"), "")
    for value in (*taken, *others):
        assert (route.params("GET", f"/{value}") is not None) == (value in taken), value
    assert Route(http_function(f"{{a:{constraint}?}}"), "").params("GET", "/") == {}


INVALID = [
    *("/mine", "a//b", "x//", "x?y", "~~"),
    *("{*r}/x", "x{*r}", "{*r?}", "{a}/{A}", "x/{a}{b}"),
    *("{a?}x", "{a}-{b?}", "{a=1?}", "{a?=1}"),
    *("{}", "{?}", "{*}", "{", "x}", "{a", "{a}}", "{a{b}}", "{a/b}", "{***a}"),
    *("{a:foo}", "{a:int(3)}", "{a:int()}", "{a:min}", "{a:min(1,2)}", "{a:min(x)}", "{a:length}"),
    *(
        "{a:length(-1)}",
        "{a:length(2,1)}",
        "{a:length(2147483648)}",
        "{a:range(1)}",
        "{a:regex}",
        "{a:regex(()}",
        "{a:int(}",
    ),
]


@pytest.mark.parametrize("route", INVALID)
def test_invalid_template_is_refused(route: str) -> None:
    """A template that ASP.NET Core refuses is named, with the function."""
    prefix = "" if route == "~~" else "api"
    with pytest.raises(HostError, match=r"Function f: its route template '.*' is invalid") as error:
        Route(http_function(route), prefix)
    assert route in str(error.value)


def test_route_takes_every_method_unless_it_lists_some() -> None:
    """A binding's methods decide; without any Azure's host takes them all."""
    assert Route(http_function("x"), "api").params("DELETE", "/api/x") == {}
    listed = Route(http_function("x", methods=["put"]), "api")
    assert listed.params("PUT", "/api/x") == {}
    assert listed.params("GET", "/api/x") is None


def test_level() -> None:
    """A binding without a level has the function level, as in Azure."""
    assert Route(http_function("x"), "api").level == FUNCTION
    assert Route(http_function("x", authLevel="ANONYMOUS"), "api").level == ANONYMOUS
    assert Route(http_function("x", authLevel="ADMIN"), "api").level == ADMIN
