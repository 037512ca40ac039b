"""Each defect is found, its cause first, with a cure that can be pasted."""

import re
import shlex
from itertools import count

import pytest

from bot_workbench.admin.plan.target import DEPLOY_AGAIN
from bot_workbench.command_line import COMMANDS
from tests.admin.doctor.defects import DEFECTS, SENTENCE, Defect
from tests.admin.doctor.examined_bot import ExaminedBot
from tests.admin.doctor.harms import SECRET_VALUE
from tests.admin.migrate.migration import BOT
from tests.docs.commands.test_local_commands import parse

NUMBERS = count(1)
NAMES = [f"{next(NUMBERS)}-{defect.code}" for defect in DEFECTS]

PROGRAMS = ("az ", "bot ")
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]{2,}")
"""What stands for a value that the reader would have to know: no value has these letters only."""


def assert_whole(line: str) -> None:
    """A command whose options have values, none of which is a placeholder."""
    words = [word.strip('"') for word in shlex.split(line, posix=False)]
    names = shlex.split(line.partition("--setting-names ")[2])
    for word in words:
        value = word.rpartition("/")[2].rpartition("=")[2]
        assert not PLACEHOLDER.fullmatch(value) or value in names, line
    for option, value in zip(words, [*words[1:], "--"], strict=True):
        is_flag = option in {"--force-string", "--cert", "--restart"}
        assert not option.startswith("--") or is_flag or not value.startswith("--"), line
    if line.startswith("bot "):
        parse(shlex.split(line)[1:], COMMANDS)


def assert_can_be_pasted(cure: str) -> None:
    """Lines for every shell: PowerShell 5 continues none with a backslash and has no `&&`, and zsh
    takes a comment for arguments. What is no command has no half of one either."""
    for line in cure.splitlines():
        assert not line.endswith("\\")
        assert " && " not in line
        if line.startswith(PROGRAMS):
            assert "#" not in line
            assert_whole(line)
        else:
            assert not re.search(r"\baz |\bpython ", line.replace(DEPLOY_AGAIN, "")), line


@pytest.mark.parametrize(
    ("defect", "credential"), [(each, each.credential) for each in DEFECTS], ids=NAMES
)
def test_each_defect_is_found(bot: ExaminedBot, defect: Defect) -> None:
    """Its cause first, and nothing that follows from it; exit 1, cures to paste, and no secret in
    any form of the report."""
    defect.harm(bot)
    found = bot.findings()
    assert [each["code"] for each in found] == [defect.code, *defect.beside], found
    assert defect.cure in found[0]["cure"]
    assert found[0]["problem"]
    for each in found:
        assert_can_be_pasted(each["cure"])
    has_command = any(line.startswith(PROGRAMS) for line in found[0]["cure"].splitlines())
    assert has_command != (defect.stays == SENTENCE)
    lines = bot.run("--bot", BOT)
    assert lines.status == 1
    assert defect.code in lines.output
    assert SECRET_VALUE not in str(found) + lines.output + lines.errors
