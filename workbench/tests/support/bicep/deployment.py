"""A deployment of Bicep files: which resources Resource Manager is asked for, in which order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.support.bicep.expression import Evaluator, Names
from tests.support.bicep.functions import Scope, functions_in
from tests.support.bicep.syntax import BicepError, Declaration, declarations, text

_NOT_SENT = {"name", "parent", "scope", "dependsOn"}


@dataclass(frozen=True)
class Resource:
    """A resource, as it is sent.

    Attributes:
        id: its resource id.
        type: as `Microsoft.Web/sites`.
        api_version: as `2024-11-01`.
        body: what PUT sends; empty for an existing resource, which is only read.
        is_existing: it must be there.
    """

    id: str
    type: str
    api_version: str
    body: dict[str, Any]
    is_existing: bool

    @property
    def name(self) -> str:
        """The last part of its name."""
        return self.id.rpartition("/")[2]


Send = Callable[[Resource], Mapping[str, Any]]
"""Creates or reads a resource, and returns Resource Manager's answer."""


class Deployment:
    """One file, deployed. A resource is created when something first needs it.

    Args:
        file: the file.
        parameters: their values by name.
        scope: where to.
        send: creates or reads a resource.

    Raises:
        BicepError: a parameter is unknown, missing, or not allowed.
    """

    def __init__(self, file: Path, parameters: Mapping[str, Any], scope: Scope, send: Send) -> None:
        self._file = file
        self._scope = scope
        self._send = send
        self._declared = {each.symbol: each for each in declarations(file) if each.kind != "output"}
        self._values: dict[str, Any] = {}
        self._evaluator = Evaluator(self._symbol, functions_in(scope, file.parent))
        unknown = parameters.keys() - {
            each.symbol for each in self._declared.values() if each.kind == "parameter"
        }
        if unknown:
            raise BicepError(f"{file.name} has no parameter {', '.join(sorted(unknown))}")
        self._parameters = dict(parameters)

    def run(self) -> dict[str, Any]:
        """Create everything, and return the outputs by name.

        Raises:
            BicepError: the files are wrong.
        """
        for symbol in self._declared:
            self._symbol(symbol)
        outputs = [each for each in declarations(self._file) if each.kind == "output"]
        return {each.symbol: self._value(each.value, {}) for each in outputs}

    def _symbol(self, symbol: str) -> Any:
        if symbol not in self._values:
            if symbol not in self._declared:
                raise BicepError(f"{self._file.name} does not declare {symbol}")
            self._values[symbol] = self._evaluated(self._declared[symbol])
        return self._values[symbol]

    def _evaluated(self, declared: Declaration) -> Any:
        if declared.kind == "parameter":
            return self._parameter(declared)
        if declared.kind == "variable":
            return self._value(declared.value, {})
        return self._deployed(declared, declared.value, {})

    def _parameter(self, declared: Declaration) -> Any:
        if declared.symbol in self._parameters:
            value = self._parameters[declared.symbol]
        elif declared.value is None:
            raise BicepError(f"{self._file.name} needs the parameter {declared.symbol}")
        else:
            value = self._value(declared.value, {})
        if allowed := declared.decorators.get("allowed"):
            values = self._value(allowed.named_children[1].named_children[0], {})
            if value not in values:
                raise BicepError(f"{declared.symbol} is {value!r}, and not one of {values}")
        if shortest := declared.decorators.get("minLength"):
            least = self._value(shortest.named_children[1].named_children[0], {})
            if len(value) < least:
                raise BicepError(f"{declared.symbol} has fewer than {least} characters")
        return value

    def _value(self, node: Node | None, names: Names) -> Any:
        if node is None:
            raise BicepError(f"{self._file.name}: a value is missing")
        return self._evaluator.value(node, names)

    def _deployed(self, declared: Declaration, node: Node | None, names: Names) -> Any:
        if node is None:
            raise BicepError(f"{declared.symbol} has no body")
        if node.type == "if_statement":
            condition, body = node.named_children
            if self._value(condition, names):
                return self._deployed(declared, body, names)
            self._check_place(body, names)
            return None
        if node.type == "for_statement":
            variable, items, body = node.named_children
            return [
                self._deployed(declared, body, {**names, text(variable): item})
                for item in self._value(items, names)
            ]
        body = self._value(node, names)
        if declared.kind == "module":
            return self._module(declared, body)
        return self._resource(declared, body)

    def _check_place(self, body: Node, names: Names) -> None:
        """Name and scope must have values even if the condition is false.

        Source: github.com/Azure/bicep, issue 1492.
        """
        for each in body.named_children:
            key, value = each.named_children
            if text(key) in ("name", "scope") and not self._value(value, names):
                raise BicepError(f"{self._file.name}: {text(each)} has no value")

    def _module(self, declared: Declaration, body: dict[str, Any]) -> dict[str, Any]:
        scope = self._scope
        if "scope" in body:
            place = body["scope"]
            subscription_id = place.get("subscriptionId", scope.subscription_id)
            scope = replace(scope, subscription_id=subscription_id, group=place["name"])
        file = self._file.parent / declared.target
        return {"outputs": Deployment(file, body.get("params", {}), scope, self._send).run()}

    def _resource(self, declared: Declaration, body: dict[str, Any]) -> dict[str, Any]:
        kind, _, api_version = declared.target.partition("@")
        sent = (
            {}
            if declared.is_existing
            else _without_null({key: value for key, value in body.items() if key not in _NOT_SENT})
        )
        resource = Resource(self._id(kind, body), kind, api_version, sent, declared.is_existing)
        answer = self._send(resource)
        return {**answer, "id": resource.id, "name": resource.name, "type": kind}

    def _id(self, kind: str, body: dict[str, Any]) -> str:
        if parent := body.get("parent"):
            return f"{parent['id']}/{kind.rpartition('/')[2]}/{body['name']}"
        if kind == "Microsoft.Resources/resourceGroups":
            return f"{self._scope.id}/resourceGroups/{body['name']}"
        scope = body["scope"]["id"] if "scope" in body else self._scope.id
        return f"{scope}/providers/{kind}/{body['name']}"


def _without_null(value: Any) -> Any:
    """Resource Manager treats null like a property that is not there."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value]
    return value
