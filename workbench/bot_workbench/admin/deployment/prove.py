"""`deployment prove`: the deployed bot signs in as it should, and refuses other callers."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from bot_workbench.admin.azure.clients import AzureClients
from bot_workbench.admin.azure.errors import AzureProblem
from bot_workbench.admin.azure.services import BUILT_IN_AZURE, NO_HASH
from bot_workbench.admin.deployment.deployed import Deployed
from bot_workbench.admin.deployment.options import DeploymentOptions
from bot_workbench.admin.migrate.steps.proof import proof_loop, proven_sign_in
from bot_workbench.admin.migrate.steps.roles import (
    STORAGE_BLOB_DATA_OWNER,
    STORAGE_QUEUE_DATA_CONTRIBUTOR,
    allowing,
)
from bot_workbench.admin.plan.settings import storage_account
from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.step import Finding, Plan, Step
from bot_workbench.admin.plan.target import DEPLOY_AGAIN, ENDPOINT_PATH, Target, endpoint_of
from bot_workbench.project import APP

PACKAGE = APP / "artifacts" / "package.zip"
"""The package that azd sends, as a zip: made together with the folder that azure.yaml names."""

APP_PACKAGE = "make app-package"
"""Makes the app for Teams."""

IF_SLOW = (
    "Entra takes some minutes to accept a new credential, and Azure as long for a new role; the"
    " app's log says what is missing. If the vault has renewed the certificate, complete that with"
    " `bot migrate certificate rotate`"
)

PACKAGE_HASH = "package.sha256"
"""The zip's file with the hash of its contents, one line."""

NOTES = ".notes"
"""In place of the zip's suffix: the file with its hash, and what its build had to say, a line
each."""

SHOWN_CHARACTERS = 12
"""Of a hash, for people."""

_HASH = re.compile(r"[0-9a-f]{64}")

TEAMS = "MsTeamsChannel"
HEALTH_PATH = "/api/health"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, UNAVAILABLE = 401, 403, 404, 503

_UNHEALTHY = {
    0: "it does not answer: it is starting, or this machine's network does not reach it",
    FORBIDDEN: "it is stopped, or its access restrictions keep this machine out",
    NOT_FOUND: "the host does not know the function yet; if that lasts, the deployment of the code"
    " has failed: look at its log (`az functionapp log deployment show`)",
    UNAVAILABLE: "it cannot sign in yet. A new role or credential takes minutes to have an effect;"
    " if it lasts, the app's log says why (docs/troubleshooting.md)",
}
"""The reasons why the app cannot run a turn, by the status that it answers; 0: none."""


def prove_plan(
    azure: AzureClients, options: DeploymentOptions, package: Path | None = None
) -> Plan:
    """The conditions under which users get answers, and nobody else does.

    Args:
        azure: the clients.
        options: name the environment.
        package: the zip that was sent; None: azd's, if azd runs the command, else nothing is known
            of it.

    Raises:
        AzureProblem: the deployed resources cannot be found.
    """
    deployed = Deployed(azure, options)
    target = deployed.target
    sent = package or (PACKAGE if options.azd else None)
    steps: list[Step] = []
    if sent:
        look = partial(_served_package, target, sent, is_named=package is not None)
        steps.append(Step("Package that answers", look))
    steps += [
        Step("Endpoint of the Azure Bot", partial(_bot_endpoint, target)),
        Step("Teams channel", partial(_teams_channel, target)),
        Step("Health of the app", partial(_healthy_app, target)),
        proven_sign_in(target, lambda: _expected(deployed), if_slow=IF_SLOW),
        Step("Refusal of unauthenticated calls", partial(_refused_caller, target)),
        Step("Roles on the storage account", partial(_storage_roles, deployed)),
    ]
    return Plan(steps, next_command=APP_PACKAGE, notes=notes_of(sent) if sent else ())


def _expected(deployed: Deployed) -> Mapping[str, str]:
    credential = deployed.credential
    expected = {"kind": credential.name, "appId": deployed.target.app_id}
    certificate = deployed.vault.public() if credential.has_certificate else None
    if certificate is not None:
        expected["certificateThumbprint"] = certificate.thumbprint
    return expected


def _served_package(target: Target, package: Path, *, is_named: bool) -> Finding:
    """`/api/identity` answers with the hash of the zip that was sent.

    azd does not tell its hooks what it has sent, and takes some publishes that were lost for a
    success: a 404 after a first answer is one (azd, pkg/azsdk/funcapp_host_client.go).

    Args:
        target: has the app.
        package: the zip.
        is_named: the command line names the zip, so it must have a hash; otherwise, nothing is
            compared without one.

    Raises:
        AzureProblem: the app cannot be found.
    """
    try:
        sent = hash_of(package)
    except NoHash as problem:
        if not is_named:
            built = "(`azd package` builds it)"
            return Finding(f"not compared with what was sent: {problem} {built}")
        cure = "Name the zip that was sent, as `make package` has built it"
        return Finding(str(problem), refusal=f"{problem}. {cure}")
    proof = target.proof()
    if proof.package == sent:
        return Finding(f"{_shown(sent)} answers, the one that was sent")
    if proof.problem:
        text = f"the app does not say yet which package answers: {proof.problem}"
    else:
        azds = f"run `azd deploy`. If you sent another zip, copy it to {package}"
        text = (
            f"{_shown(proof.package)} answers, but {_shown(sent)} was sent. A new package takes a"
            " minute or two to answer. If this lasts, the publish was lost:"
            f" {f'publish {package} again' if is_named else azds}"
        )
    proved = (f'if echo "$FACTS" | grep {quoted(sent)} > /dev/null; then break; fi',)
    advice = "another package answers"
    loop = proof_loop(target, proved, attempts=30, pause=30, advice=advice)
    return Finding(text, waiting=True, az=loop)


class NoHash(Exception):
    """A file does not say which package it is; the message says why."""


def hash_of(package: Path) -> str:
    """The hash that a zip names itself by: SHA-256, lower-case hex.

    Raises:
        NoHash: it has none, or cannot be read.
    """
    try:
        with ZipFile(package) as file:
            text = file.read(PACKAGE_HASH).decode("ascii", "replace").strip()
    except FileNotFoundError:
        raise NoHash(f"{package} is missing") from None
    except KeyError:
        raise NoHash(f"{package} has no {PACKAGE_HASH}") from None
    except (OSError, BadZipFile) as error:
        raise NoHash(f"{package} cannot be read: {error}") from error
    if not _HASH.fullmatch(text):
        raise NoHash(f"{PACKAGE_HASH} in {package} is not a SHA-256 hash")
    return text


def notes_of(package: Path) -> tuple[str, ...]:
    """The messages of a zip's build, such as what it left out: azd shows that of no hook."""
    try:
        built, *notes = package.with_suffix(NOTES).read_text("utf-8").splitlines()
        return tuple(notes) if built == hash_of(package) else ()
    except (OSError, NoHash):
        return ()


def _shown(package: str) -> str:
    if package == BUILT_IN_AZURE:
        return "code that was built in Azure"
    return package if package == NO_HASH else f"package {package[:SHOWN_CHARACTERS]}"


def _bot_endpoint(target: Target) -> Finding:
    """The endpoint of the Azure Bot is the app's, by any of its host names.

    Raises:
        AzureProblem: the bot or the app cannot be read.
    """
    endpoint = endpoint_of(target.bot())
    text = f"the endpoint of the Azure Bot is {endpoint or 'not set'}"
    if target.answers_to(endpoint) and endpoint.endswith(ENDPOINT_PATH):
        return Finding(text)
    return Finding(text, refusal=f"{text}, which is not {target.site_id.name}'s: {DEPLOY_AGAIN}")


def _teams_channel(target: Target) -> Finding:
    """The Teams channel is on, and its terms are accepted: else, Teams shows an invalid bot.

    Raises:
        AzureProblem: the channel cannot be read.
    """
    found = target.azure.arm.find(f"{target.bot_id.id}/channels/{TEAMS}")
    properties = (found["properties"].get("properties") or {}) if found else {}
    if properties.get("isEnabled") and properties.get("acceptedTerms"):
        return Finding("the Teams channel is on, and its terms are accepted")
    if found is None:
        text = "the Azure Bot has no Teams channel"
    elif properties.get("isEnabled"):
        text = "the terms of the Teams channel are not accepted"
    else:
        text = "the Teams channel is off"
    return Finding(text, refusal=f"{text}, so Teams does not reach the bot: {DEPLOY_AGAIN}")


def _healthy_app(target: Target) -> Finding:
    """`/api/health` answers 200: the settings are valid, and the bot has keys and a token.

    Raises:
        AzureProblem: the app cannot be found.
    """
    url = f"https://{target.host}{HEALTH_PATH}"
    try:
        status = target.azure.site.respond("GET", url).status_code
    except AzureProblem:
        status = 0
    if status == 200:
        return Finding(f"{url} answers 200")
    reason = _UNHEALTHY.get(status, "see the app's log")
    answer = f"answers {status}" if status else "gives no answer"
    loop = (
        "for attempt in $(seq 60); do # a new app, role or credential takes minutes",
        f"  curl --fail --silent --show-error {quoted(url)} && break",
        "  sleep 10",
        "done",
    )
    return Finding(f"{url} {answer}: {reason}", waiting=True, az=loop)


def _refused_caller(target: Target) -> Finding:
    """An activity without a token is refused with 401, by the bot and not by what is before it.

    Raises:
        AzureProblem: the bot cannot be read.
    """
    endpoint = endpoint_of(target.bot())
    status = target.azure.site.probe(endpoint)
    if barrier := target.azure.site.barrier(endpoint):
        text = f"the channels cannot reach {endpoint}"
        return Finding(text, refusal=f"{text}: {barrier}")
    if status == UNAUTHORIZED:
        return Finding(f"{endpoint} refuses a call without a token with 401")
    if 200 <= status < 300:
        text = f"{endpoint} accepts a call without a token (it answers {status})"
        return Finding(
            text,
            refusal=f"{text}: anybody can talk to the bot as if they were Teams. Stop the app"
            " (`az functionapp stop`), and remove every setting DANGEROUSLY_... from it",
        )
    answer = f"answers {status}" if status else "gives no answer"
    return Finding(f"{endpoint} {answer} to a call without a token, not 401 yet", waiting=True)


def _storage_roles(deployed: Deployed) -> Finding:
    """The app's identity has the roles on its storage account, and the host has used that for
    blobs.

    The host keeps the functions' keys in the account. Azure hands them out only after the host has
    read them, with the identity: so a key shows that the role for blobs is effective. Only a queued
    turn or a notification shows that of queues.

    Raises:
        AzureProblem: the app or the assignments cannot be read.
    """
    target = deployed.target
    name = storage_account(target.settings())
    if not name:
        text = f"the settings of {target.site_id.name} name no storage account"
        return Finding(text, refusal=f"{text}: {DEPLOY_AGAIN}")
    group = target.site_id.id.partition("/providers/")[0]
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/{name}"
    principal = deployed.identity().principal_id
    for role in (STORAGE_BLOB_DATA_OWNER, STORAGE_QUEUE_DATA_CONTRIBUTOR):
        if not allowing(target.azure.arm, account, principal, role):
            text = f"the app's identity lacks {role.name} on {name}"
            return Finding(text, refusal=f"{text}: {DEPLOY_AGAIN}")
    proof = target.proof()
    if not proof.facts:
        return Finding(f"the host gives no key yet: {proof.problem}", waiting=True)
    return Finding(f"the app's identity has its roles on {name}, and has read its keys there")
