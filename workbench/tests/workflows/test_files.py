"""The files of GitHub Actions, Dependabot and Azure Pipelines are valid, and keep to our rules."""

import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tests.workflows import azure_rules, github_rules, rules
from tests.workflows.pipeline_files import (
    AUTHOR,
    AUTHORS_CI,
    AZURE,
    DEPENDABOT,
    DEPLOY,
    WORKFLOWS,
    PipelineFile,
    jobs,
    name_of,
    read,
)
from tests.workflows.validators import (
    ACTIONLINT,
    actionlint_errors,
    schema_errors,
    zizmor_findings,
)

ALL = [*WORKFLOWS, AUTHORS_CI]
"""The workflows of this repository, and of a bot's own."""

KINDS = {
    **dict.fromkeys(ALL, "workflow"),
    DEPENDABOT: "dependabot",
    AUTHOR / ".github" / "dependabot.yml": "dependabot",
    AZURE: "azure",
}


@pytest.mark.parametrize("file", KINDS, ids=name_of)
def test_the_schema_allows_each_file(file: Path) -> None:
    """The schemas are those of SchemaStore and of Azure Pipelines."""
    assert schema_errors(KINDS[file], file) == ""


@pytest.mark.skipif(
    not shutil.which("node") or not ACTIONLINT.exists(), reason="the validators need node"
)
def test_actionlint_finds_nothing() -> None:
    """Expressions, shells, needs, events and runner names are right."""
    texts = {name_of(file): file.read_text("utf-8") for file in ALL}
    assert actionlint_errors(texts) == []


@pytest.mark.parametrize("folder", [ROOT, AUTHOR])
def test_zizmor_finds_nothing(folder: Path) -> None:
    """Neither in the workflows nor in dependabot.yml, with the strictest checks."""
    assert zizmor_findings(folder) == []


@pytest.mark.parametrize("file", [*ALL, AZURE], ids=name_of)
def test_the_rules_hold(file: Path) -> None:
    """No rule of ours is broken."""
    given = PipelineFile(file.read_text("utf-8"))
    own = azure_rules.RULES if file == AZURE else github_rules.RULES
    broken = {rule.__name__: found for rule in (*rules.RULES, *own) if (found := list(rule(given)))}
    assert broken == {}


def test_a_workflow_that_is_called_can_be() -> None:
    """It has the event `workflow_call`; actionlint looks at one file at a time."""
    called = {job["uses"] for file in ALL for _, job in jobs(read(file)) if "uses" in job}
    assert called
    for name in called:
        assert "workflow_call" in read(ROOT / name)["on"], name
    of_deploy = {job["uses"] for _, job in jobs(read(DEPLOY)) if "uses" in job}
    assert {(AUTHOR / name).resolve() for name in of_deploy} == {AUTHORS_CI}
    assert "workflow_call" in read(AUTHORS_CI)["on"]


def test_an_action_is_the_same_commit_everywhere() -> None:
    """Each action has one commit, and its comment one version; each one that is allowed is used."""
    commits: defaultdict[str, set[str]] = defaultdict(set)
    for file in ALL:
        for line in file.read_text("utf-8").splitlines():
            if found := github_rules.PINNED.search(line):
                commits[found["action"]].add(line.partition("@")[2])
    assert {action: len(found) for action, found in commits.items()} == dict.fromkeys(
        github_rules.INPUTS, 1
    )
