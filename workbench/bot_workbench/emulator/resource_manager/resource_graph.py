"""Resource Graph: the queries by which Core Tools find a resource by its name.

The language is Kusto's. Understood is what Core Tools send: `where` with comparisons, `project`,
`limit`. Any other query is refused, as the service refuses one that it cannot parse.
"""

import re
from collections.abc import Iterable
from typing import Any

from bot_workbench.emulator.resource_manager.errors import ArmError, error
from bot_workbench.emulator.resource_manager.resource import JsonObject, Resource, ResourceId
from bot_workbench.emulator.resource_manager.resource_type import ArmReply, ArmRequest

INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and "
    "fix the error before retrying."
)
TABLE = "table"
OBJECTS_SINCE = "2020-04-01"
"""The first api-version whose answers are objects unless the query's options say otherwise."""

_STRING = r"'[^']*'"
_COMPARISON = re.compile(rf"([\w.]+) *(=~|==) *({_STRING})")
_STEP = re.compile(rf"(?:[^|']|{_STRING})+")
_PROJECT = re.compile(r"project +([\w.]+(?: *, *[\w.]+)*)")
_LIMIT = re.compile(r"(?:limit|take) +(\d+)")
_TABLE_NAME = re.compile(r"resources", re.IGNORECASE)


def resource_graph(request: ArmRequest, resources: Iterable[Resource]) -> ArmReply:
    """Answer a query.

    Args:
        request: a POST to `Microsoft.ResourceGraph/resources`.
        resources: those that the caller may read.

    Raises:
        ArmError: 400, the query is not understood.
    """
    wanted = {str(each).lower() for each in request.body.get("subscriptions") or ()}
    rows = [
        _row(each)
        for each in resources
        if not wanted or ResourceId(each.id).subscription_id.lower() in wanted
    ]
    rows = _result(str(request.body.get("query") or ""), rows)
    options = request.body.get("options") or {}
    is_table = request.query["api-version"] < OBJECTS_SINCE
    shown = options.get("resultFormat", TABLE if is_table else "")
    data: Any = _table(rows) if str(shown).lower() == TABLE else rows
    answer = {"totalRecords": len(rows), "count": len(rows), "data": data, "facets": []}
    return ArmReply({**answer, "resultTruncated": "false"})


def _row(resource: Resource) -> JsonObject:
    """A resource as a row: its members, those of its id, and its type in lower case."""
    where = ResourceId(resource.id)
    return {
        **resource.answer(),
        "type": resource.type.lower(),
        "resourceGroup": where.group_name.lower(),
        "subscriptionId": where.subscription_id,
    }


def _result(query: str, rows: list[JsonObject]) -> list[JsonObject]:
    steps = [step.strip() for step in _STEP.findall(query)]
    if not steps or "|".join(steps).replace(" ", "") != query.replace(" ", ""):
        raise _invalid(query)
    for index, step in enumerate(steps):
        if index == 0 and _TABLE_NAME.fullmatch(step):
            continue
        if step.startswith("where "):
            compared = _comparisons(step.removeprefix("where "))
            rows = [row for row in rows if all(_holds(row, each) for each in compared)]
        elif found := _PROJECT.fullmatch(step):
            names = [name.strip() for name in found[1].split(",")]
            rows = [{name: _value(row, name) for name in names} for row in rows]
        elif found := _LIMIT.fullmatch(step):
            rows = rows[: int(found[1])]
        else:
            raise _invalid(step)
    return rows


def _comparisons(condition: str) -> list[tuple[str, str, str]]:
    """The comparisons of a condition that joins them by `and`: name, operator, text in quotes."""
    compared: list[tuple[str, str, str]] = _COMPARISON.findall(condition)
    if _COMPARISON.sub("", condition).split() != ["and"] * (len(compared) - 1):
        raise _invalid(condition)
    return compared


def _holds(row: JsonObject, comparison: tuple[str, str, str]) -> bool:
    name, operator, quoted = comparison
    value, wanted = str(_value(row, name)), quoted[1:-1]
    return value == wanted if operator == "==" else value.lower() == wanted.lower()


def _value(row: JsonObject, path: str) -> Any:
    """The value at `properties.name`; a missing one is an empty text."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else value


def _table(rows: list[JsonObject]) -> JsonObject:
    names = list(rows[0]) if rows else []
    columns = [
        {"name": name, "type": "string" if isinstance(rows[0][name], str) else "object"}
        for name in names
    ]
    return {"columns": columns, "rows": [[row[name] for name in names] for row in rows]}


def _invalid(part: str) -> ArmError:
    refusal = error("BadRequest: query", part=part)
    refusal.details = [{"code": "InvalidQuery", "message": INVALID}]
    return refusal
