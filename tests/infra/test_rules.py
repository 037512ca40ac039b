"""The templates follow every rule, and each rule notices a template that breaks it."""

import shutil
from pathlib import Path

import pytest

from tests.infra.mutations import MUTATIONS, RULES, Mutation, Rule
from tests.infra.template import INFRA, Template

TEMPLATE = Template(INFRA)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_templates_follow_the_rule(rule: Rule) -> None:
    """The project's templates follow it, whichever way the bot is deployed."""
    assert list(rule(TEMPLATE)) == []


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
def test_rule_notices_a_mutation(number: int, tmp_path: Path) -> None:
    """Each single change that breaks a rule is reported by that rule."""
    mutation = MUTATIONS[number]
    changed = mutated(mutation, tmp_path / "infra")
    assert list(mutation.rule(changed)) != [], mutation


def mutated(mutation: Mutation, folder: Path) -> Template:
    """A changed copy of the templates."""
    shutil.copytree(INFRA, folder)
    file = folder / mutation.file
    source = file.read_text("utf-8")
    assert source.count(mutation.old) == 1, f"{mutation.old!r} is not there once"
    file.write_text(source.replace(mutation.old, mutation.new), "utf-8")
    return Template(folder)


def test_each_rule_has_a_mutation() -> None:
    """No rule is there that was never seen to fail."""
    assert {each.rule for each in MUTATIONS} == set(RULES)
