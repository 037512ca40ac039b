"""Leftovers: what cannot be copied, and is the bot's owner's to do."""

from bot_workbench.admin.migrate.managed_identity import channels
from bot_workbench.admin.migrate.managed_identity.copied_channels import channels_of
from bot_workbench.admin.migrate.managed_identity.manifest import Manifest, ManifestRefused
from bot_workbench.admin.migrate.managed_identity.teams_app import TeamsApp
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target

CONVERSATIONS = (
    "stored conversation references are of no use to the new bot: it gets new ones when the new"
    " version of the Teams app is installed, or when somebody writes to it; conversation state"
    " starts empty"
)

SETTINGS = {
    "isCmekEnabled": "the bot's data is encrypted with your own key: set it again in the portal,"
    " Encryption",
    "developerAppInsightKey": "the bot's analytics go to Application Insights: set it again in the"
    " portal, Configuration, because its API key cannot be read",
}
"""Settings of a bot that are not copied, by the property that shows that it has them."""


class Leftovers:
    """A list; there is nothing to change.

    Args:
        old: the old bot.
        app: the Teams app's files.
    """

    title = "What cannot be copied"

    def __init__(self, old: Target, app: TeamsApp) -> None:
        self._old = old
        self._app = app

    def look(self) -> Finding:
        """Read the old bot's channels and OAuth connections, and the manifest.

        Raises:
            AzureProblem: they cannot be read.
        """
        arm, bot_id, moved = self._old.azure.arm, self._old.bot_id.id, self._app.moved()
        notes = [
            *(text for name, text in SETTINGS.items() if self._old.bot()["properties"].get(name)),
            *channels.leftovers(channels_of(arm, bot_id), moved.old_host),
            *(self._connection(one) for one in arm.pages(f"{bot_id}/connections")),
            CONVERSATIONS,
        ]
        if self._app.manifest:
            try:
                notes += Manifest(self._app.manifest).leftovers(moved)
            except ManifestRefused as error:
                return Finding("the manifest has just been changed", refusal=str(error))
            notes.append("publish the new version of the Teams app; people get it as an update")
        return Finding(f"{len(notes)} things are left for you to do", notes=tuple(notes))

    @staticmethod
    def _connection(connection: dict[str, object]) -> str:
        found = connection.get("properties")
        properties = found if isinstance(found, dict) else {}
        provider = properties.get("serviceProviderDisplayName") or properties.get(
            "serviceProviderId"
        )
        return (
            f"OAuth connection {str(connection['name']).rsplit('/', 1)[-1]}: create it again under"
            f" the same name (provider {provider or 'unknown'}, scopes"
            f" {properties.get('scopes') or 'none'}); its client secret cannot be read, and users"
            " sign in again"
        )
