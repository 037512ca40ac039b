"""The runs in which somebody follows the runbooks."""

from dataclasses import dataclass

REMOVE_GROUP = 'az group delete --name "$RESOURCE_GROUP"'
REMOVE_ROLE = 'az role assignment delete --assignee "$BOT_PRINCIPAL_ID" --scope "$OPENAI_ID"'
REMOVE_REGISTRATION = 'az ad app delete --id "$APP_ID"'
OLD_ENDPOINT = (
    'az bot update --resource-group "$RESOURCE_GROUP" --name "$BOT" --endpoint "$OLD_ENDPOINT"'
)
REMOVE_BOT = 'az bot delete --resource-group "$RESOURCE_GROUP" --name "$BOT"'
REMOVE_KEY = 'az ad app credential delete --id "$APP_ID" --cert --key-id KEY_ID'
REMOVE_TRUST = (
    'az ad app federated-credential delete --id "$APP_ID" --federated-credential-id bot-identity'
)
MIGRATE = "bot migrate"


@dataclass(frozen=True)
class Run:
    """A way through deploy-by-hand.md, and a route of migrate-by-hand.md that begins with it.

    Attributes:
        name: for the report.
        tags: what deploy-by-hand.md's blocks are chosen by: see recipe.py.
        route: the route, a key of recipe.ROUTES; empty: none.
        app_type: MicrosoftAppType of the existing bot; empty: there is none.
        commands: what is pasted at the end, of this project's own.
        inline: commands within the page's text, such as ways back, pasted after the last block.
        values: pairs of a line of the page and what the reader writes instead.
    """

    name: str
    tags: frozenset[str]
    route: str = ""
    app_type: str = ""
    commands: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


RUNS = (
    Run(
        "way A, optional steps, route 2",
        frozenset({"A", "new bot", "optional", "models"}),
        "route 2",
        "MultiTenant",
        inline=(REMOVE_BOT, REMOVE_REGISTRATION),
    ),
    Run(
        "way B with Certificate",
        frozenset({"B", "new bot", "Certificate"}),
        inline=(REMOVE_GROUP, REMOVE_REGISTRATION),
        values=(("CREDENTIAL=SignInVault", "CREDENTIAL=Certificate"),),
    ),
    Run(
        "way B, route 1",
        frozenset({"B", "route", "two roles"}),
        "route 1",
        "SingleTenant",
        inline=(REMOVE_KEY, OLD_ENDPOINT),
    ),
    Run(
        "way C",
        frozenset({"C", "existing bot", "custom role"}),
        app_type="MultiTenant",
        values=(
            ("BOT_RESOURCE_GROUP=$RESOURCE_GROUP", "BOT_RESOURCE_GROUP=contoso-bots"),
            ("BOT=my-bot-0815", "BOT=contoso-bot"),
        ),
    ),
    Run(
        "way D",
        frozenset({"D", "new bot", "models"}),
        inline=(REMOVE_ROLE, REMOVE_GROUP, REMOVE_REGISTRATION),
    ),
    Run(
        "steps for migrate.md, certificate",
        frozenset({"commands", "vault"}),
        app_type="SingleTenant",
        commands=(
            f"{MIGRATE} certificate --bot contoso-bot --app my-bot-0815 --vault my-bot-0815",
            f"{MIGRATE} switch --bot contoso-bot --app my-bot-0815",
        ),
    ),
    Run(
        "way D, route 3",
        frozenset({"D", "route"}),
        "route 3",
        "SingleTenant",
        inline=(REMOVE_TRUST, OLD_ENDPOINT),
    ),
)
