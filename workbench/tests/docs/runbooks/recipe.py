"""Which blocks of the runbooks a reader pastes, by way of deploy-by-hand.md or by route."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.docs.runbooks.page import Block, blocks
from tests.support.project import ROOT

DEPLOY = ROOT / "docs" / "deploy-by-hand.md"
BY_HAND = ROOT / "docs" / "migrate-by-hand.md"

VAULT = frozenset("BC")
"""The ways with a certificate."""
NEW = frozenset({"new bot"})
"""The Azure Bot and, in ways B and D, its app registration are created."""
EXISTING = frozenset({"existing bot", "route"})
"""The app registration exists; "route": this is only the first step of a route."""
WHOLE = frozenset({"new bot", "existing bot"})
"""All of deploy-by-hand.md."""
MODELS = frozenset({"models"})
"""The bot calls the models of an Azure OpenAI resource."""
OPTIONAL = frozenset({"optional"})
"""What the page offers without asking for it."""

Conditions = tuple[frozenset[str], ...]

CONDITIONS: dict[str, tuple[Conditions, ...]] = {
    "0. Before you start": ((),),
    "1. Resource group": ((),),
    "2. Managed identity": ((),),
    "3. Storage without keys": ((),),
    "4.1 Key vault": ((VAULT | {"vault"},),),
    "4.2 Certificate": (
        (VAULT,),
        (VAULT, frozenset({"two roles"})),
        (VAULT, frozenset({"custom role"})),
        (VAULT, frozenset({"Certificate"})),
        (VAULT,),
    ),
    "4.3 App registration (ways B and D)": (
        (frozenset("BD"), NEW),
        (frozenset("BD"), NEW),
        (EXISTING,),
    ),
    "4.4 Upload the public certificate (ways B and C)": ((VAULT, WHOLE),),
    "4.5 Federated credential (way D)": ((frozenset("D"), WHOLE),),
    "5. Function App": ((), ()),
    "6. App settings": (
        (),
        (frozenset("A"),),
        (frozenset("B"),),
        (frozenset("C"),),
        (frozenset("D"),),
        (OPTIONAL,),
        (OPTIONAL,),
    ),
    "What an idle bot costs": ((OPTIONAL,), (OPTIONAL,)),
    "Work with storage from your machine": ((OPTIONAL,),),
    "7. Logs without a key": ((),),
    "8. Publish the code": ((),),
    "A package that is ready to run": ((OPTIONAL,),),
    "9. Azure Bot": (
        (frozenset("A"), NEW),
        (frozenset("BD"), NEW),
        (frozenset({"existing bot"}),),
        (WHOLE,),
    ),
    "10. Teams": ((WHOLE,),),
    "Let the bot call a language model": ((MODELS,), (MODELS,)),
    "11. Verify that it works": ((WHOLE,), (WHOLE,), (WHOLE,), (WHOLE,)),
    "Settings that must not exist on Flex Consumption": ((),),
    "Renew the certificate": ((VAULT, NEW), (VAULT, NEW), (VAULT, NEW)),
}
"""By section of deploy-by-hand.md, what each of its blocks is for: of each set, one must apply."""

TAKE_STOCK = ("Take stock",)
SWITCH = ("1.4 Move the traffic", "1.5 Stop using the secret")
DELETE = ("1.7 Delete the secret", "1.8 Verify once more, and again in an hour")

ROUTES: dict[str, tuple[str, ...]] = {
    "route 1": (
        *TAKE_STOCK,
        "1.1 Build the new app beside the old one",
        "1.2 Add the public key to the app registration",
        "1.3 Verify the token",
        *SWITCH,
        "1.6 Is it the last credential?",
        *DELETE,
    ),
    "route 2": (
        *TAKE_STOCK,
        "2.1 Build the new bot",
        "2.2 Copy the channels",
        "2.3 OAuth connections",
        "2.6 Switch off the old bot",
        "2.7 Delete the secret, then the old bot",
    ),
    "route 3": (
        *TAKE_STOCK,
        "3.1 Build the new app beside the old one",
        "3.2 Let the app registration trust the identity",
        "3.3 Verify the token",
        *SWITCH,
        "3.5 Is it the last credential?",
        *DELETE,
    ),
}
"""By route, the sections of migrate-by-hand.md that are pasted, in order."""


PROMISED: dict[str, str] = {
    "1. Resource group": r"^3\.13$",
    "4.2 Certificate": r"^completed\n[0-9A-F]{40}$",
    "4.5 Federated credential (way D)": r"bot-identity +https://login\.microsoftonline\.com/",
    "5. Function App": r"^my-bot-0815\.azurewebsites\.net$",
    "8. Publish the code": r"^Deployment was successful\.$.*^Host status: .*Running.*"
    r"^    identity - \[httpTrigger\]$.*/api/messages$",
    "A package that is ready to run": r"^    messages - \[httpTrigger\]$",
    "10. Teams": r"^acceptedTerms: true\n.*isEnabled: true$",
    "11. Verify that it works": r'^{"status": "ok"}.*"warnings": \[\].*401$',
    "Renew the certificate": r"^completed\n[0-9A-F]{40}$",
    "Take stock": r"^type: (Single|Multi)Tenant$",
    "1.1 Build the new app beside the old one": r'^{"error": "The bot is not available\."}$',
    "1.2 Add the public key to the app registration": r"bot-certificate.*bot secret",
    "1.3 Verify the token": r'"kind": "SignInVault".*"certificateThumbprint": "([0-9A-F]{40})"'
    r".*\n\1$",
    "1.4 Move the traffic": r"^https://my-bot-0815\.azurewebsites\.net/api/messages$",
    "1.6 Is it the last credential?": r"^continue$",
    "2.1 Build the new bot": r'"kind": "ManagedIdentity"',
    "2.2 Copy the channels": r"MsTeamsChannel\n.*DirectLineChannel",
    "3.1 Build the new app beside the old one": r'^{"error": "The bot is not available\."}$',
    "3.3 Verify the token": r'"kind": "Federated"',
    "3.5 Is it the last credential?": r"^continue$",
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
        tags: the way, a letter, and of the sets above what else applies.
    """
    for section, found in by_section(DEPLOY).items():
        for block, conditions in zip(found, CONDITIONS[section], strict=True):
            if all(condition & tags for condition in conditions):
                yield block


def route(name: str) -> Iterator[Block]:
    """The blocks of migrate-by-hand.md that somebody pastes who takes a route, a key of ROUTES."""
    sections = by_section(BY_HAND)
    for section in ROUTES[name]:
        yield from sections[section]
