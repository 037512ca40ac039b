"""The doctor's cures, pasted into a shell with the real Azure CLI: the bot is healed."""

import shlex

import pytest
from typer.testing import CliRunner

from bot_workbench.command_line import app
from bot_workbench.credential_kinds import KINDS
from tests.admin.doctor.defects import DEFECTS
from tests.admin.doctor.examined_bot import ExaminedBot
from tests.admin.moved_clock import MovedClock
from tests.support.azure.az_shell import WITH_AZ, AzShell

pytestmark = [*WITH_AZ, pytest.mark.timeout(900)]

ROUNDS = 3
"""A restored app registration lacks its service principal, which nobody could see before."""

OWN = "bot "
"""The beginnings of lines of this project's own commands. They run in this process, because each
start of Python costs a second."""


@pytest.fixture
def shell(bot: ExaminedBot, monkeypatch: pytest.MonkeyPatch) -> AzShell:
    """A shell in which the pipeline has signed in with `az login`."""
    shell = AzShell(monkeypatch)
    shell.sign_in_pipeline(bot.azure.environ)
    return shell


def paste(shell: AzShell, cure: str) -> None:
    """Run the commands of a cure, one line after the other; people read its sentences. A command of
    this project that has done its work ends with 1 while the proof takes longer."""
    for line in cure.splitlines():
        if line.startswith("az "):
            shell.run(line)
        elif line.startswith(OWN):
            words = shlex.split(line)[1:]
            ended = CliRunner().invoke(app, [*words, "--yes"], obj=MovedClock())
            assert ended.exit_code in {0, 1}, f"{line}\n{ended.output}"


@pytest.mark.parametrize("credential", KINDS)
def test_cures_heal(bot: ExaminedBot, shell: AzShell, credential: str) -> None:
    """One defect after the other: it is found, its cures are pasted, then those of what it hid, and
    nothing is found."""
    pasted = [each for each in DEFECTS if not each.stays and each.credential == credential]
    assert pasted
    for defect in pasted:
        defect.harm(bot)
        for _ in range(ROUNDS):
            for found in bot.findings():
                paste(shell, found["cure"])
            if not bot.findings():
                break
        assert bot.findings() == [], defect
