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
ROTATE = 'bot migrate certificate rotate --bot "$BOT" --timeout 4000'
MIGRATE = "bot migrate {} --bot contoso-bot --app my-bot-0815"
SWITCH = MIGRATE.format("switch")
STOP = "az webapp stop --resource-group contoso-bots --name contoso-bot-web"


@dataclass(frozen=True)
class Run:
    """A way through deploy-by-hand.md, and, if there is a bot already, through migrate-by-hand.md.

    Attributes:
        name: for the report.
        tags: what deploy-by-hand.md's blocks are chosen by: see recipe.py.
        app_type: MicrosoftAppType of the bot that there is already; empty: there is none.
        commands: those of the steps of migrate-by-hand.md, pasted after its blocks.
        inline: commands within the pages' text, such as ways back, pasted last.
        values: pairs of a line of the page and what the reader writes instead.
    """

    name: str
    tags: frozenset[str]
    app_type: str = ""
    commands: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


RUNS = (
    Run(
        "managed identity, with all options",
        frozenset({"managed identity", "new bot", "options", "models"}),
        inline=(REMOVE_ROLE, REMOVE_GROUP),
    ),
    Run(
        "federated credential",
        frozenset({"app registration", "federated credential", "new bot", "models"}),
        inline=(REMOVE_ROLE, REMOVE_GROUP, REMOVE_REGISTRATION),
    ),
    Run(
        "certificate",
        frozenset({"app registration", "vault", "certificate", "new bot"}),
        values=((ROTATE, f"{ROTATE} --restart"),),
    ),
    Run(
        "an old bot, federated credential",
        frozenset(),
        "SingleTenant",
        commands=(MIGRATE.format("federated"), SWITCH),
        inline=(OLD_ENDPOINT, REMOVE_TRUST),
    ),
    Run(
        "an old bot, certificate",
        frozenset({"vault", "narrower role"}),
        "MultiTenant",
        commands=(f"{MIGRATE.format('certificate')} --vault my-bot-0815", SWITCH),
        inline=(OLD_ENDPOINT, REMOVE_KEY),
    ),
    Run(
        "an old bot, managed identity",
        frozenset(),
        "MultiTenant",
        commands=(f"{MIGRATE.format('managed-identity')} --new-bot contoso-bot-2", STOP),
        inline=(REMOVE_BOT, REMOVE_REGISTRATION),
    ),
)
