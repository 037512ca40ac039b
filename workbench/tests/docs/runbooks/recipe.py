"""Which blocks of deploy-by-hand.md a reader pastes, and what both pages promise."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.docs.runbooks.page import Block, blocks
from tests.support.project import ROOT

DEPLOY = ROOT / "docs" / "deploy-by-hand.md"
BY_HAND = ROOT / "docs" / "migrate-by-hand.md"

ALWAYS = ""
"""The tag of blocks that everybody pastes."""

TAGS: dict[str, tuple[str, ...]] = {
    "0. Before you start": (ALWAYS,),
    "1. Resource group": (ALWAYS,),
    "2. Managed identity": (ALWAYS,),
    "3. Storage without keys": (ALWAYS,),
    "4.1 Key vault": ("vault", "vault"),
    "4.2 A narrower role": ("narrower role",),
    "5. Function App": (ALWAYS, ALWAYS),
    "6. App settings": (ALWAYS, "managed identity", "options"),
    "Work with storage from your machine": ("options",),
    "7. Logs without a key": (ALWAYS,),
    "8. Publish the code": (ALWAYS,),
    "A package that is ready to run": ("options",),
    "9. Azure Bot": (
        "managed identity",
        "app registration",
        "app registration",
        "federated credential",
        "certificate",
        "new bot",
    ),
    "10. Teams": ("new bot",),
    "Let the bot call a language model": ("models", "models"),
    "11. Verify that it works": ("new bot", "new bot", "new bot", "new bot"),
    "Renew the certificate": ("certificate", "certificate"),
}
"""By section of deploy-by-hand.md, whom each of its blocks is for."""

PROMISED: dict[str, str] = {
    "1. Resource group": r"^3\.13$",
    "5. Function App": r"^my-bot-0815\.azurewebsites\.net$",
    "8. Publish the code": r"^Deployment was successful\.$.*^Host status: .*Running.*"
    r"^    identity - \[httpTrigger\]$.*/api/messages$",
    "A package that is ready to run": r"^    messages - \[httpTrigger\]$",
    "9. Azure Bot": r"^type: (SingleTenant|UserAssignedMSI)$",
    "10. Teams": r"^acceptedTerms: true\n.*isEnabled: true$",
    "11. Verify that it works": r'^{"status": "ok"}.*"warnings": \[\].*401$',
    "Take stock": r"^https://contoso-bot-web\.azurewebsites\.net/api/messages\n.*bot secret",
}
"""By section of both pages, the pattern of what the page says that the reader sees; `.` is any
character."""


def by_section(page: Path) -> dict[str, list[Block]]:
    """The blocks of a page by the titles of their sections."""
    found = defaultdict[str, list[Block]](list)
    for block in blocks(page):
        found[block.section].append(block)
    return dict(found)


def deployment(tags: frozenset[str]) -> Iterator[Block]:
    """The blocks of deploy-by-hand.md that somebody pastes.

    Args:
        tags: whom it is for: those of TAGS that apply.
    """
    for section, found in by_section(DEPLOY).items():
        for block, tag in zip(found, TAGS[section], strict=True):
            if tag in {ALWAYS, *tags}:
                yield block
