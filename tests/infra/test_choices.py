"""The table of the deployment's choices says what the template says."""

from typing import Any

import pytest

from bot_workbench.admin.azure.cloud import CLOUDS_BY_PARAMETER
from bot_workbench.admin.deployment.parameters import (
    ALERT_EMAIL,
    CHOICES,
    CLOUD,
    Choice,
)
from bot_workbench.admin.near_miss import meant_name
from tests.infra.template import INFRA, Template
from tests.support.bicep.syntax import Declaration, declarations, literal, text

DECLARED = {(each.kind, each.symbol): each for each in declarations(INFRA / "main.bicep")}


def parameter(choice: Choice) -> Declaration:
    """The template's parameter."""
    return DECLARED["parameter", choice.parameter]


def argument(declaration: Declaration, decorator: str) -> Any:
    """What a decorator says; None if there is none."""
    call = declaration.decorators.get(decorator)
    return None if call is None else call.named_children[1].named_children[0]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.parameter)
def test_a_row_is_its_parameter(choice: Choice) -> None:
    """Type, allowed values and limits; test_azd.py compares the defaults."""
    declared = parameter(choice)
    allowed = argument(declared, "allowed")
    limits = [argument(declared, name) for name in ("minValue", "maxValue")]
    assert declared.target == choice.type
    assert choice.allowed == tuple(map(literal, allowed.named_children if allowed else ()))
    assert choice.limits == tuple(int(text(each)) if each else 0 for each in limits)


def test_no_output_is_taken_for_a_misspelt_choice() -> None:
    """azd stores the template's outputs beside the choices."""
    outputs = {name for kind, name in DECLARED if kind == "output"}
    variables = [choice.variable for choice in CHOICES]
    assert "BOT_APP_NAME" in outputs
    assert {meant_name(name, variables) for name in outputs} == {""}


def test_the_clouds_are_the_row() -> None:
    """Each value names the addresses with which the commands work."""
    assert tuple(CLOUDS_BY_PARAMETER) == CLOUD.allowed


@pytest.mark.parametrize("nobody", ["", "none"])
def test_nobody_gets_the_alerts(nobody: str) -> None:
    """No receiver; an empty value cannot say that an address is to be taken away."""
    assert nobody in {ALERT_EMAIL.default, ALERT_EMAIL.read(nobody)}
    template = Template(INFRA)
    assert _receivers(template, nobody) == []
    (somebody,) = _receivers(template, "team@example.com")
    assert somebody["emailAddress"] == "team@example.com"


def _receivers(template: Template, address: str) -> list[dict[str, Any]]:
    (group,) = template.evaluated(alertEmail=address).of_type("Microsoft.Insights/actionGroups")
    found: list[dict[str, Any]] = group.body["properties"]["emailReceivers"]
    return found
