"""The pages that list the credentials say what the table of credentials says."""

import re
from collections.abc import Iterator

from bot_workbench.credential_kinds import KINDS
from tests.support.project import ROOT

NAMED = {(kind.name, each) for kind in KINDS.values() for each in kind.app_types}
"""Each pair that is allowed."""


def rows(page: str, start: str) -> Iterator[str]:
    """The lines of a page's tables that begin with a text."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return (line for line in text.splitlines() if line.startswith(start))


def test_the_settings_page_has_each_credential_with_its_types() -> None:
    """In the row of BotCredential, each name is followed by its types in parentheses."""
    (row,) = rows("settings.md", "| `BotCredential` |")
    values = row.split("|")[2]
    found = re.findall(r"`(\w+)` \(((?:`\w+`(?:, )?)+)", values)
    assert [name for name, _ in found] == list(KINDS)
    assert {(name, each) for name, types in found for each in re.findall(r"\w+", types)} == NAMED


def test_the_credentials_page_has_each_pair() -> None:
    """The settings of each row, and the sentence below the table for what is implied."""
    page = (ROOT / "docs" / "credentials.md").read_text("utf-8")
    first = page.split("\n## ")[0]
    found = {
        (name, row.split("MicrosoftAppType=")[1].split("`")[0])
        for row in rows("credentials.md", "| a")
        for name in re.findall(r"BotCredential=(\w+)", row)
    }
    assert found | {("ManagedIdentity", "UserAssignedMSI")} == NAMED
    assert "`BotCredential=ManagedIdentity` is implied" in first


def test_pages_list_each_credential() -> None:
    """The values of `credential`, in the template's order, and those of `make run`."""
    (row,) = rows("deploy.md", "| `BOT_CREDENTIAL` |")
    assert re.findall(r"`(\w+)`", row.split("|")[3]) == list(KINDS)
    (line,) = rows("credentials.md", "make run CREDENTIAL=")
    assert {*re.findall(r"\w+", line.partition("=")[2].replace("or", ""))} == {*KINDS}
