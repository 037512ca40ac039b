"""RegisteredProvider: the subscription may use a resource provider."""

from bot_workbench.admin.azure.arm_client import API_VERSIONS, ArmClient
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Finding

PROVIDERS = (
    "Microsoft.BotService",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
"""Those of the template. A test compares them with it."""

_UNREGISTERED = {"NotRegistered", "Unregistered"}

VAULT_PROVIDER = "Microsoft.KeyVault"
"""Only of the credentials that have a vault."""


class RegisteredProviders:
    """The subscription has registered all resource providers that the template needs.

    Resource Manager registers those that a template names, but a question that comes before, such
    as the one for deleted vaults, needs them registered. Microsoft reference: "Azure resource
    providers and types".

    Args:
        arm: the client.
        subscription: its id (GUID).
        namespaces: of the providers.
    """

    title = "Resource providers"

    def __init__(self, arm: ArmClient, subscription: str, namespaces: tuple[str, ...]) -> None:
        self._arm = arm
        self._subscription = subscription
        self._namespaces = namespaces

    def look(self) -> Finding:
        """Read the state of each.

        Raises:
            AzureProblem: they cannot be read.
        """
        states = {each: self._state(each) for each in self._namespaces}
        missing = [each for each, state in states.items() if state in _UNREGISTERED]
        if missing:
            text = f"not registered in the subscription: {', '.join(missing)}"
            return Finding(text, changes=tuple(map(self._registration, missing)))
        pending = [each for each, state in states.items() if state != "Registered"]
        if pending:
            text = f"the subscription is registering {', '.join(pending)}, which takes minutes"
            return Finding(text, waiting=True)
        return Finding(f"the subscription has registered {', '.join(self._namespaces)}")

    def _state(self, namespace: str) -> str:
        found = self._arm.get(self._path(namespace))
        return str(found.get("registrationState") or "NotRegistered")

    def _path(self, namespace: str, action: str = "") -> str:
        path = f"/subscriptions/{self._subscription}/providers/{namespace}{action}"
        return f"{path}?api-version={API_VERSIONS['']}"

    def _registration(self, namespace: str) -> Change:
        options = {"--namespace": namespace, "--subscription": self._subscription, "--wait": None}
        return Change(
            method="POST",
            url=self._arm.url(self._path(namespace, "/register")),
            body=None,
            summary=f"Register {namespace} in the subscription",
            az=(az("provider register", options),),
        )
