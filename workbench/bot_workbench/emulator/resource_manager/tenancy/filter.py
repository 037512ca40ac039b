"""ResourceFilter: the part of OData that Resource Manager's `$filter` knows."""

import re
from dataclasses import dataclass

from bot_workbench.emulator.resource_manager.core.arm_error import bad_request
from bot_workbench.emulator.resource_manager.core.resource import Resource

COMPARISON = re.compile(r"^(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'$", re.IGNORECASE)
SUBSTRING = re.compile(r"^substringof\('((?:[^']|'')*)',\s*name\)$", re.IGNORECASE)
AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One comparison: a property's name in lower case, `eq`, `ne` or `in`, and a text."""

    name: str
    operator: str
    value: str

    def accepts(self, resource: Resource) -> bool:
        """Whether a resource fulfils it; texts are compared in any case."""
        actual, value = _value(resource, self.name).lower(), self.value.lower()
        if self.operator == "in":
            return value in actual
        return (actual == value) == (self.operator == "eq")


def terms(expression: str) -> list[Term]:
    """The terms of a `$filter`, which are all to be fulfilled; empty for an empty one.

    Raises:
        ArmError: 400, it has operators or names that are not known here.
    """
    if not expression.strip():
        return []
    return [_term(part.strip().strip("()"), expression) for part in AND.split(expression)]


def _term(text: str, expression: str) -> Term:
    substring = SUBSTRING.match(text if text.endswith(")") else f"{text})")
    if substring:
        return Term("name", "in", substring[1].replace("''", "'"))
    comparison = COMPARISON.match(text)
    known = {"resourcetype", "name", "resourcegroup", "location", "tagname", "tagvalue"}
    if comparison is None or comparison[1].lower() not in known:
        raise bad_request(
            "InvalidFilterInQueryString", f"Invalid $filter '{expression}' specified in the query."
        )
    name, operator, value = comparison.groups()
    return Term(name.lower(), operator.lower(), value.replace("''", "'"))


def filtered(resources: list[Resource], expression: str) -> list[Resource]:
    """Those of the resources that a `$filter` accepts.

    Raises:
        ArmError: 400, see `terms`.
    """
    wanted = terms(expression)
    tags = {term.name: term.value for term in wanted if term.name.startswith("tag")}
    plain = [term for term in wanted if not term.name.startswith("tag")]
    return [
        each
        for each in resources
        if all(term.accepts(each) for term in plain) and _has_tag(each, tags)
    ]


def _has_tag(resource: Resource, wanted: dict[str, str]) -> bool:
    if not wanted:
        return True
    tags: dict[str, str] = resource.body.get("tags") or {}
    value = tags.get(wanted.get("tagname", ""))
    return value is not None and wanted.get("tagvalue", value) == value


def _value(resource: Resource, name: str) -> str:
    if name == "resourcetype":
        return resource.type
    if name == "resourcegroup":
        return resource.id.split("/")[4] if resource.id.count("/") > 3 else ""
    if name == "name":
        return resource.name
    return str(resource.body.get(name, ""))
