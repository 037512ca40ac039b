"""Every block of the runbooks is pasted by somebody, and the shell notices what fails."""

import re
from pathlib import Path

import pytest

from tests.docs.runbooks.page import blocks
from tests.docs.runbooks.recipe import BY_HAND, DEPLOY, deployment
from tests.docs.runbooks.report import check_success
from tests.docs.runbooks.runs import RUNS
from tests.docs.runbooks.shell import Shell, text_of


def test_each_block_of_the_deployment_is_pasted() -> None:
    """No block of deploy-by-hand.md is left out of all runs."""
    pasted = {block for run in RUNS for block in deployment(run.tags)}
    assert pasted == set(blocks(DEPLOY))


def inline_commands(page: Path) -> list[str]:
    """The `az` commands within a page's text that can be pasted: those that use variables."""
    return re.findall(r"`(az [^`]*\"\$[^`]*)`", page.read_text("utf-8"))


def test_each_command_within_the_text_is_pasted() -> None:
    """What a sentence or a table has of commands with variables is pasted at the end of a run."""
    pasted = {command for run in RUNS for command in run.inline}
    assert pasted == {*inline_commands(DEPLOY), *inline_commands(BY_HAND)}


FALSE = Path("/bin/false")
"""An Azure CLI that fails."""


@pytest.mark.parametrize(
    "text",
    [
        "az login",
        'ID=$(az account show); echo "$ID"',
        "for attempt in 1 2; do az login && break; sleep 60; done",
        "cat no-such-file",
        'echo "$NOBODY_ASSIGNED_THIS"',
    ],
)
def test_a_failure_is_noticed(tmp_path: Path, text: str) -> None:
    """Wherever a command stands, the run does not pass if it fails."""
    done = Shell(tmp_path, FALSE, {}).paste([("page.md:1", text)])
    with pytest.raises(AssertionError):
        check_success([done])


def test_what_a_shell_does(tmp_path: Path) -> None:
    """It keeps variables from block to block, waits for nobody, and asks the reader."""
    shell = Shell(tmp_path, FALSE, {})
    blocks = [
        ("page.md:1", "ID=1; sleep 3600"),
        ("page.md:5", 'read -r answer; echo "$ID $answer"'),
    ]
    done = shell.paste(blocks, "y\n")
    assert done.output == {"page.md:1": "", "page.md:5": "1 y\n"}
    assert [(call.place, call.command) for call in done.calls] == [("page.md:1", ("sleep", "3600"))]
    check_success([done])


def test_a_reader_writes_their_own_values() -> None:
    """A line of the page is replaced whatever its comment says, and no other one."""
    block = next(block for block in blocks(BY_HAND) if block.section == "Take stock")
    text = text_of(block, {"BOT=my-old-bot": "BOT=mine", "az login": ""})
    assert "\nBOT=mine\n" in text
    assert "RESOURCE_GROUP=my-old-bot # where the Azure Bot is" in text
    assert "az login" not in text
