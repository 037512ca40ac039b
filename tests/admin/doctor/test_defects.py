"""Each defect is found, alone, with its cure."""

from itertools import count

import pytest

from tests.admin.doctor.defects import DEFECTS, Defect
from tests.admin.doctor.examined_bot import ExaminedBot
from tests.admin.doctor.harms import SECRET_VALUE
from tests.admin.migrate.migration import BOT

NUMBERS = count(1)
NAMES = [f"{next(NUMBERS)}-{defect.code}" for defect in DEFECTS]


def assert_for_every_shell(cure: str) -> None:
    """PowerShell 5 continues no line with a backslash and has no `&&`, and zsh takes a comment for
    arguments."""
    for line in cure.splitlines():
        assert not line.endswith("\\")
        assert " && " not in line
        if line.startswith(("az ", "python ")):
            assert "#" not in line
        else:
            assert "az " not in line.replace("`az ", "")


@pytest.mark.parametrize(
    ("defect", "credential"), [(each, each.credential) for each in DEFECTS], ids=NAMES
)
def test_each_defect_is_found(bot: ExaminedBot, defect: Defect) -> None:
    """One finding, exit 1, a cure to paste, and no secret in any form of the report."""
    defect.harm(bot)
    found = bot.findings()
    assert [each["code"] for each in found] == [defect.code, *defect.beside], found
    assert defect.cure in found[0]["cure"]
    assert found[0]["problem"]
    assert_for_every_shell(found[0]["cure"])
    lines = bot.run("--bot", BOT)
    assert lines.status == 1
    assert defect.code in lines.output
    assert SECRET_VALUE not in str(found) + lines.output + lines.errors
