"""Template: the project's Bicep files, or a changed copy of them, with what they evaluate to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from auth.credential_kinds import KINDS, MANAGED_IDENTITY
from tests.support.bicep.deployment import Resource
from tests.support.bicep.stand_in import Evaluated, guid
from tests.support.bicep.syntax import declarations, text
from tests.support.project import ROOT

INFRA = ROOT / "infra"
TURNS = ("Inline", "Queued")
CLOUDS = ("Public", "USGovernment", "China")
MODEL_ID = (
    f"/subscriptions/{guid('models')}/resourceGroups/Models/providers"
    "/Microsoft.CognitiveServices/accounts/Contoso-Models"
)
"""An Azure OpenAI resource, in another subscription than the bot."""
PRINCIPAL_ID = guid("service principal")
"""Object id of the service principal of the bot's app registration."""


@dataclass(frozen=True)
class Variant:
    """One way to deploy, evaluated.

    Attributes:
        parameters: those that it was given.
        evaluated: what came of it.
    """

    parameters: Mapping[str, Any]
    evaluated: Evaluated

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())

    @property
    def credential(self) -> str:
        """How the bot signs in."""
        return str(self.parameters["credential"])

    @property
    def uses_vault(self) -> bool:
        """Whether the bot has a certificate."""
        return KINDS[self.credential].has_certificate

    def one(self, kind: str) -> Resource:
        """The only resource of a type."""
        (found,) = self.evaluated.of_type(kind)
        return found

    def properties(self, kind: str) -> dict[str, Any]:
        """The properties of the only resource of a type."""
        found: dict[str, Any] = self.one(kind).body["properties"]
        return found

    def settings(self) -> dict[str, str]:
        """The app settings."""
        found: dict[str, str] = self.properties("Microsoft.Web/sites/config")
        return found


class Template:
    """A folder of Bicep files.

    Args:
        folder: has main.bicep.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def files(self) -> list[Path]:
        """Each Bicep file."""
        return sorted(self.folder.rglob("*.bicep"))

    @cached_property
    def variants(self) -> list[Variant]:
        """Every credential with every kind of turns in every cloud, with and without extras."""
        return list(self._evaluated())

    def evaluated(self, **parameters: Any) -> Evaluated:
        """What the templates evaluate to."""
        return Evaluated(self.folder / "main.bicep", **parameters)

    def _longest_name(self) -> str:
        """A name with every kind of character, as long as main.bicep takes it."""
        (parameter,) = (
            each
            for each in declarations(self.folder / "main.bicep")
            if each.symbol == "environmentName"
        )
        length = int(text(parameter.decorators["maxLength"].named_children[1]).strip("()"))
        return "Contoso_bot.test-".ljust(length, "c")

    def _evaluated(self) -> Iterator[Variant]:
        longest = self._longest_name()
        for credential, turns, cloud, extras in product(KINDS, TURNS, CLOUDS, (False, True)):
            given = {
                "credential": credential,
                "turns": turns,
                "cloud": cloud,
                "alwaysReady": 2 if extras else 0,
                "directLine": extras,
                "alertEmail": "team@example.com" if extras else "",
                "openaiResourceId": MODEL_ID if extras else "",
                "botPrincipalId": PRINCIPAL_ID if credential != MANAGED_IDENTITY else "",
                "environmentName": longest if extras else "b",
            }
            yield Variant(given, self.evaluated(**given))
