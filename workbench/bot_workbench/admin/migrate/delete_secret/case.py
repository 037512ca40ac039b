"""Case: one bot whose secrets are to be deleted, and the guards that it has to pass."""

import datetime
from dataclasses import dataclass, replace

from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.guards.answering_app import (
    FRESH_CALL,
    IDENTITY_OF_THE_APP,
)
from bot_workbench.admin.migrate.delete_secret.guards.obstacle import (
    Guard,
    Obstacle,
    first_obstacle,
)
from bot_workbench.admin.migrate.delete_secret.guards.other_use import OTHER_USE, REPLACED_BOT
from bot_workbench.admin.migrate.delete_secret.guards.remaining_credential import (
    REMAINING_CREDENTIAL,
    registration_is_unknown,
)
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.steps.azure_bot import tags_of
from bot_workbench.admin.plan.target import Target


@dataclass
class Case:
    """The bots of the command.

    Attributes:
        old: the bot whose secrets are deleted.
        live: the bot whose app gives the proof: the same, or the one that replaces it.
        ignore_other_use: whether the secret may be used by others, too.
        first_start: when the process started that gave the first proof; None: it is not known, or
            may have been restarted without the secret already.
    """

    old: Target
    live: Target
    ignore_other_use: bool = False
    first_start: datetime.datetime | None = None

    @classmethod
    def of(cls, target: Target, *, ignore_other_use: bool = False) -> "Case":
        """The case of the command line's bot.

        Raises:
            AzureProblem: the bot, or the one that replaces it, cannot be found.
        """
        name = tags_of(target.bot()).get(REPLACED_BY)
        if not name:
            return cls(target, target, ignore_other_use)
        options = replace(target.options, bot=name, resource_group="", subscription="")
        live = Target(target.azure, options)
        try:
            live.bot()
        except NotFound as error:
            raise NotFound(
                f"the tag {REPLACED_BY} of {target.options.bot} names the Azure Bot {name}, which"
                " does not exist: run the command managed-identity again, or remove the tag"
            ) from error
        return cls(target, live, ignore_other_use)

    def evidence(self) -> Evidence:
        """The evidence, to be read now."""
        return Evidence(self.old, self.live)

    def obstacle(self, evidence: Evidence, *, fresh_call: bool) -> Obstacle | None:
        """The obstacle to deleting the secrets, but for others who use them.

        Args:
            evidence: of this moment.
            fresh_call: whether a call to a channel is part of the proof.

        Raises:
            AzureProblem: something cannot be read.
        """
        calls: tuple[Guard, ...] = FRESH_CALL if fresh_call else ()
        credential = (
            (registration_is_unknown, *REPLACED_BOT) if evidence.replaced else REMAINING_CREDENTIAL
        )
        return first_obstacle((*IDENTITY_OF_THE_APP, *credential, *calls), evidence)

    def other_use(self, evidence: Evidence) -> Obstacle | None:
        """Who else uses the secrets.

        Raises:
            AzureProblem: something cannot be read.
        """
        return first_obstacle(OTHER_USE, evidence)
