"""The commands of azd and Core Tools that pages and pipelines name exist, with their options."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.docs.commands.command_tables import AZD, FUNC, fault
from tests.support.project import ROOT

PAGES = [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"]
PIPELINES = [*sorted(ROOT.glob(".github/workflows/*.yml")), *ROOT.glob("azure-pipelines.yml")]
PLACE = r"(?:^[ \t>-]*|`|\$\(|(?:run|script|bash): |&& |[;|] ?)(?:[A-Z_]+=\w+ )?"
"""Where a command may stand, behind a variable of its own."""

MENTION = ["azure", "functionapp", "publish"]
"""A command of Core Tools that a sentence names without its arguments."""


SET_BY_HOOKS = {"BOT_VAULT_CREATE_MODE", "BOT_PRINCIPAL_ID"}
"""What `deployment prepare` sets, and nobody chooses."""


def commands(file: Path, program: str) -> list[list[str]]:
    """The words after a program's name, for each command of a file."""
    text = re.sub(r"\\\n\s*", "", file.read_text("utf-8"))
    found = re.findall(rf"{PLACE}{program} ([a-z][^`#\n]*)", text, re.M)
    return [_words(line) for line in found if not re.match(r"[a-z]+ (?:is|was|or|and)\b", line)]


def _words(line: str) -> list[str]:
    """The line up to the parenthesis, quotation mark or operator that ends it."""
    end = re.split(r"(?:\)\"|\)$| && | \| | 2>&1|;)", line.strip())[0]
    try:
        return shlex.split(end)
    except ValueError:
        return end.split()


@pytest.mark.parametrize("file", [*PAGES, *PIPELINES], ids=lambda file: file.name)
def test_azd_takes_each_command(file: Path) -> None:
    """Each `azd ...` of a page or pipeline is a command of azd with options that it has."""
    found = commands(file, "azd")
    assert [problem for each in found if (problem := fault(each, AZD, is_azd=True))] == []


@pytest.mark.parametrize("file", [*PAGES, *PIPELINES], ids=lambda file: file.name)
def test_core_tools_take_each_command(file: Path) -> None:
    """Each `func ...` with arguments is a command of Core Tools with options that it has."""
    found = [each for each in commands(file, "func") if each != MENTION]
    assert [problem for each in found if (problem := fault(each, FUNC))] == []


def test_commands_are_found() -> None:
    """The pattern finds commands in blocks, in text, in tables and within other commands."""
    deploy = ROOT / "docs" / "deploy.md"
    names = {" ".join(each) for each in commands(deploy, "azd")}
    assert {
        "auth login",
        "env set BOT_TURNS Inline",
        "env get-value BOT_ID",
        "deploy bot",
        "provision --preview",
        "config set cloud.name AzureUSGovernment",
    } <= names
    publish = ["azure", "functionapp", "publish", "$APP", "--python", "--build", "remote"]
    assert publish in commands(deploy, "func")


def test_values_that_are_set_are_parameters() -> None:
    """`azd env set` names variables that infra/main.parameters.json passes to the template."""
    parameters = json.loads((ROOT / "infra" / "main.parameters.json").read_text("utf-8"))
    known = set(re.findall(r"\$\{(\w+)", json.dumps(parameters))) | {"AZURE_SUBSCRIPTION_ID"}
    for file in [*PAGES, *PIPELINES]:
        for words in commands(file, "azd"):
            if words[:2] == ["env", "set"] and len(words) > 2:
                assert words[2].partition("=")[0] in known, f"{file.name}: {words}"


def test_parameters_are_documented() -> None:
    """docs/deploy.md names each variable of azd's environment that is this project's own."""
    parameters = (ROOT / "infra" / "main.parameters.json").read_text("utf-8")
    own = set(re.findall(r"\$\{(BOT_\w+)", parameters)) - SET_BY_HOOKS
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    assert {name for name in own if f"`{name}`" not in page} == set()


@pytest.mark.parametrize(
    "line",
    [
        "azd go",
        "azd auth signin",
        "azd env set-value NAME VALUE",
        "azd env get-value",
        "azd up --force",
        "azd down --yes",
        "azd deploy bot --package p.zip",
        "azd deploy bot --from-package",
        "azd provision --what-if",
        "azd pipeline config --auth-type secret",
        "azd auth login --federated-credential-provider gitlab",
        "func azure functionapp deploy NAME",
        "func azure functionapp publish",
        "func azure functionapp publish NAME --build azure",
        "func azure functionapp publish NAME --remote-build",
        "func azure functionapp publish NAME --list-included-files",
        "func pack --build remote",
        "func run --port 7071",
    ],
)
def test_a_wrong_command_is_noticed(line: str) -> None:
    """A command, option, value or number of arguments that does not exist is a fault."""
    program, *words = line.split()
    assert fault(words, AZD if program == "azd" else FUNC, is_azd=program == "azd")
