"""The templates follow every rule, and each rule notices a template that breaks it."""

import inspect
import shutil
from pathlib import Path

import pytest

from tests.infra import security_rules, syntax_rules
from tests.infra.mutations import MUTATIONS, Mutation, Rule
from tests.infra.template import INFRA, Template

TEMPLATE = Template(INFRA)
RULES = [
    function
    for module in (syntax_rules, security_rules)
    for name, function in inspect.getmembers(module, inspect.isgeneratorfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_templates_follow_the_rule(rule: Rule) -> None:
    """The project's templates follow it, whichever way the bot is deployed."""
    assert list(rule(TEMPLATE)) == []


@pytest.mark.parametrize(
    ("rule", "number"),
    [(rule, number) for rule, mutations in MUTATIONS.items() for number in range(len(mutations))],
    ids=lambda each: each if isinstance(each, int) else each.__name__,
)
def test_rule_notices_a_mutation(rule: Rule, number: int, tmp_path: Path) -> None:
    """Each single change that breaks a rule is reported by that rule."""
    mutation = MUTATIONS[rule][number]
    assert list(rule(mutated(mutation, tmp_path / "infra"))) != [], mutation


def mutated(mutation: Mutation, folder: Path) -> Template:
    """A changed copy of the templates."""
    name, old, new = mutation
    shutil.copytree(INFRA, folder)
    file = folder / name
    source = file.read_text("utf-8")
    assert source.count(old) == 1, f"{old!r} is not there once"
    file.write_text(source.replace(old, new), "utf-8")
    return Template(folder)


def test_each_rule_has_a_mutation() -> None:
    """No rule is there that was never seen to fail."""
    assert {rule for rule, mutations in MUTATIONS.items() if mutations} == set(RULES)
