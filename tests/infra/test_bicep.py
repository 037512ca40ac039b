"""The evaluator of Bicep files does what the language's reference says, as far as it goes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.bicep.deployment import Deployment, Resource
from tests.support.bicep.functions import Scope
from tests.support.bicep.syntax import BicepError

VALUES = {
    "'a' == 'a' && !false": True,
    "true ? 'yes' : missing": "yes",
    "empty('') || missing": True,
    "null ?? 'other'": "other",
    "{ a: null }.?b ?? 'none'": "none",
    "'${1}-${true}-${'x'}'": "1-true-x",
    "' ${1} ${2} '": " 1 2 ",
    "' '": " ",
    "' \\n \\t'": " \n \t",
    "'it''s'": None,
    "'it\\'s'": "it's",
    "'''\nlines'''": "lines",
    "[for item in ['a', 'b']: '${item}!']": ["a!", "b!"],
    "union({ a: 1 }, { a: 2, b: 3 })": {"a": 2, "b": 3},
    "{ a: { '${'b'}': [1] } }.a.b[0]": 1,
    "toLower(replace('A_B', '_', '-'))": "a-b",
    "length([1, 2])": 2,
}
"""Expressions, and what they are; None: no Bicep."""


def deployed(file: Path, text: str, **parameters: Any) -> tuple[dict[str, Any], list[Resource]]:
    """The outputs of a file, and the resources that were sent."""
    file.write_text(text, "utf-8")
    sent: list[Resource] = []

    def send(resource: Resource) -> Mapping[str, Any]:
        sent.append(resource)
        return {"properties": {"state": "ready"}}

    scope = Scope("subscription", "tenant", "group")
    return Deployment(file, parameters, scope, send).run(), sent


@pytest.mark.parametrize("expression", list(VALUES))
def test_expression(expression: str, tmp_path: Path) -> None:
    """An expression has its value; what is not needed for it is never evaluated."""
    text = f"output value object = {expression}\n"
    if VALUES[expression] is None:
        with pytest.raises(BicepError, match="cannot be parsed"):
            deployed(tmp_path / "main.bicep", text)
        return
    outputs, _ = deployed(tmp_path / "main.bicep", text)
    assert outputs == {"value": VALUES[expression]}


FILE = """
@allowed(['a', 'b'])
param kind string
param count int = 1

resource second 'X.Y/z@2020-01-01' = if (count > 1) {
  name: 'second-${first.properties.state}'
}
resource first 'X.Y/z@2020-01-01' = {
  name: 'first'
  properties: { kind: kind, nothing: null }
}
resource each 'X.Y/z/child@2020-01-01' = [for name in ['m', 'n']: {
  parent: first
  name: name
}]
resource there 'X.Y/other@2020-01-01' existing = {
  name: 'there'
}
output id string = there.id
"""


def test_resources_are_sent_in_the_order_of_need(tmp_path: Path) -> None:
    """What another one refers to is created before it; a false condition leaves one out."""
    file = tmp_path / "main.bicep"
    outputs, sent = deployed(file, FILE, kind="a", count=2)
    group = "/subscriptions/subscription/resourceGroups/group/providers/X.Y"
    assert [each.id.removeprefix(group) for each in sent] == [
        "/z/first",
        "/z/second-ready",
        "/z/first/child/m",
        "/z/first/child/n",
        "/other/there",
    ]
    assert sent[0].body == {"properties": {"kind": "a"}}
    assert [each.is_existing for each in sent] == [False, False, False, False, True]
    assert outputs == {"id": f"{group}/other/there"}


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"kind": "c"}, "kind is 'c', and not one of"),
        ({}, "needs the parameter kind"),
        ({"kind": "a", "other": 1}, "has no parameter other"),
    ],
)
def test_parameters_are_checked(parameters: dict[str, Any], problem: str, tmp_path: Path) -> None:
    """A value that is not allowed, none at all, and one that nobody asked for are refused."""
    with pytest.raises(BicepError, match=problem):
        deployed(tmp_path / "main.bicep", FILE, **parameters)
