"""The fault switches that arrive as JSON: each wrong one is refused in a sentence."""

import re
from dataclasses import fields
from typing import Any

import pytest
from aiohttp import web

from bot_workbench.emulator.faults import Faults
from bot_workbench.emulator.services.presets import PRESETS
from bot_workbench.emulator.services.services import checked_switches

VALID: dict[str, list[Any]] = {
    "latency": [0, 0.5, 3600],
    "status": [None, 200, 429, 599],
    "retry_after": [None, 0, 30, "Fri, 27 Nov 2026 05:00:00 GMT"],
    "silent": [True, False],
    "cut": [True],
    "handled": [True],
    "html": [True],
    "body": [None, "", "{}"],
    "endless": [False],
    "every": [1, 10],
    "remaining": [None, 0, 3],
    "path": ["", "/v3"],
}

WRONG: dict[str, list[Any]] = {
    "latency": [-1, 3601, float("nan"), float("inf"), True, "1", None, []],
    "status": [0, 100, 199, 600, 429.0, True, "429", []],
    "retry_after": [-1, 1.5, True, "a\r\nX-Injected: yes", "\u00e4", []],
    "silent": [None, 1, "true"],
    "cut": [0],
    "handled": ["no"],
    "html": [{}],
    "body": [{}, 1],
    "endless": [1],
    "every": [0, -1, 1.5, True, None],
    "remaining": [-1, 1.5, True, "3"],
    "path": [None, 3],
}


def refusal(switches: object) -> str:
    """The text with which they are refused."""
    with pytest.raises(web.HTTPBadRequest) as refused:
        checked_switches(switches)
    return str(refused.value.text)


def test_each_switch_is_checked() -> None:
    """Every public switch of Faults has valid and wrong values here."""
    names = {field.name for field in fields(Faults) if not field.name.startswith("_")}
    assert names == set(VALID) == set(WRONG)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in VALID.items() for v in vs])
def test_valid(name: str, value: Any) -> None:
    """A valid value is set, and shown if it is not the default."""
    faults = Faults()
    faults.set(**checked_switches({name: value}))
    is_default = getattr(Faults(), name) == value
    assert faults.switched() == ({} if is_default else {name: value})


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in WRONG.items() for v in vs])
def test_wrong(name: str, value: Any) -> None:
    """A wrong value is refused, with the switch's name and what it takes."""
    assert re.fullmatch(rf"{name} must be .+\.", refusal({name: value}))


@pytest.mark.parametrize("switches", [None, [], "cut", 3, True])
def test_no_object(switches: object) -> None:
    """Only a JSON object has switches."""
    assert refusal(switches) == "The faults must be a JSON object."


@pytest.mark.parametrize("name", ["unheard_of", "_matched", ""])
def test_unknown(name: str) -> None:
    """An unknown switch is refused, and the text lists the known ones."""
    assert re.match(r"There is no fault .*latency, status", refusal({name: 1}))


def test_presets() -> None:
    """Each preset has valid switches, makes something faulty, and is unique in its service."""
    for presets in PRESETS.values():
        for preset in presets:
            faults = Faults()
            faults.set(**checked_switches(dict(preset.faults)))
            assert faults.switched()
        for names in ({each.name for each in presets}, {each.label for each in presets}):
            assert len(names) == len(presets)
