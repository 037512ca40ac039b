"""DeployedCode: the Function App runs this project's code, so that it can prove what it does."""

from bot_workbench.admin.azure.errors import NotFound
from bot_workbench.admin.plan.step import Finding
from bot_workbench.admin.plan.target import Target


class DeployedCode:
    """The app has the function `identity`, which only this project's code has.

    Args:
        target: has the app: that of `--app`, or the one behind the bot's endpoint.
    """

    title = "The app's code"

    def __init__(self, target: Target) -> None:
        self._target = target

    def look(self) -> Finding:
        """Ask Resource Manager for the function.

        Raises:
            AzureProblem: the app cannot be read.
        """
        app = self._target.site_id
        try:
            self._target.azure.arm.get(f"{app.id}/functions/identity")
        except NotFound:
            named = "" if self._target.options.app else ", to which the bot's endpoint leads,"
            return Finding(
                f"{app.name} has no function `identity`",
                refusal=f"the app {app.name}{named} does not run this project's code: publish it to"
                " a Function App beside the old app (docs/deploy-by-hand.md, steps 1 to 8), and"
                " name that one with --app",
            )
        return Finding(f"{app.name} runs this project's code")
