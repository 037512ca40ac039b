"""`bot migrate delete-secret`: the last step, which nothing undoes."""

import datetime
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from bot_workbench.admin.azure.errors import AzureProblem, NotFound, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.delete_secret.evidence import UNUSED_SINCE, Evidence
from bot_workbench.admin.migrate.delete_secret.obstacles import (
    MAX_PROOF_MINUTES,
    UNAVAILABLE,
    first_obstacle,
    other_use,
    registration_is_unknown,
)
from bot_workbench.admin.migrate.delete_secret.secret_holders import (
    NOT_SEARCHED,
    password_removals,
)
from bot_workbench.admin.migrate.managed_identity.replaced_bot import REPLACED_BY
from bot_workbench.admin.migrate.steps.azure_bot import tag_change, tags_of
from bot_workbench.admin.migrate.steps.function_app import restart_change
from bot_workbench.admin.migrate.steps.proof import proof_loop
from bot_workbench.admin.plan.options import Options
from bot_workbench.admin.plan.run import execute
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Change, Finding, Plan, Step, unless_refused
from bot_workbench.admin.plan.target import Target

IgnoreOption = Annotated[
    bool,
    typer.Option(
        "--ignore-other-use",
        metavar="",
        help="Delete the secret although somebody else uses it: they stop working.",
    ),
]

_AGAIN = (
    "check again in an hour (command status): cached tokens are valid that long, and hide that"
    " something still needed the secret"
)
_WRITE = "write to the bot now, in Teams or in Test in Web Chat"

_GONE = "No password credential found"
"""Graph's words for a key id that the registration does not have (any more)."""


def delete_secret(options: Options, *, ignore_other_use: IgnoreOption = False) -> None:
    """Delete the bot's secrets, after proof that nothing needs them.

    The app behind the bot's endpoint must have signed in with its new
    credential and called a channel within 10 minutes, and another usable
    credential must remain. The command then removes MicrosoftAppPassword,
    and the client secret of the Agents SDK, from the app's settings, waits
    for the restart and for a message to the bot, asks, and deletes the
    secrets one by one. A bot that the command
    managed-identity has replaced keeps no credential: its app must be
    stopped.

    [bold]Examples[/bold]

      bot migrate delete-secret --bot contoso-bot --dry-run
      bot migrate delete-secret --bot contoso-bot
      bot migrate delete-secret --bot contoso-bot --yes

    [bold]Exit status[/bold]

      0  no secret is left
      1  the command refuses, with the reason and what to do; or you said
         no; or a wait ran out. Secrets are deleted one by one: those that
         are left still work
      2  the command line is wrong, or your account sees no bot or app
         of this name, or several; nothing was done
      3  no sign-in, no answer, or your account may not do it

    [bold]--json[/bold] prints one object; the command's steps are in "steps".
    No secret value is printed, ever.
    """
    execute(options, lambda target: plan_delete_secret(target, ignore_other_use=ignore_other_use))


def plan_delete_secret(target: Target, *, ignore_other_use: bool = False) -> Plan:
    """The steps, in the order that leaves a way back for as long as there is one.

    Raises:
        AzureProblem: the bot, or the one that replaces it, cannot be found.
    """
    deletion = SecretDeletion(target, _live(target), ignore_other_use=ignore_other_use)
    steps = (
        Step("Proof that the secret is not needed", deletion.first_proof),
        Step("Settings of the app, and its restart", deletion.live_settings),
        Step("Proof by the restarted app", deletion.second_proof),
        Step("Secrets of the app registration", deletion.secrets),
        Step("Settings of the old app", deletion.old_settings),
    )
    return Plan(
        steps,
        way_back=unless_refused("none for a deleted secret: its value cannot be recovered"),
        next_command=target.options.command_line("status"),
    )


def _live(target: Target) -> Target:
    """The bot whose app gives the proof: the command line's, or the one that replaces it.

    Raises:
        AzureProblem: it cannot be found.
    """
    name = tags_of(target.bot()).get(REPLACED_BY)
    if not name:
        return target
    options = replace(target.options, bot=name, resource_group="", subscription="")
    live = Target(target.azure, options)
    try:
        live.bot()
    except NotFound as error:
        raise NotFound(
            f"the tag {REPLACED_BY} of {target.options.bot} names the Azure Bot {name}, which does"
            " not exist: run the command managed-identity again, or remove the tag"
        ) from error
    return live


class SecretDeletion:
    """The looks of the command's steps, and what they have to remember of each other.

    Args:
        old: the bot whose secrets are deleted.
        live: the bot whose app gives the proof: the same, or the one that replaces it.
        ignore_other_use: whether the secret may be used by others, too.
    """

    def __init__(self, old: Target, live: Target, *, ignore_other_use: bool) -> None:
        self._old = old
        self._live = live
        self._ignore_other_use = ignore_other_use
        # When the process started that gave the first proof; None: it is not known, or may have
        # been restarted without the secret already.
        self._first_start: datetime.datetime | None = None
        self._seen: dict[str, str] = {}
        self._deleted: set[str] = set()

    def first_proof(self) -> Finding:
        """Before anything is changed: the bot's app signs in without the secret and calls a
        channel, another credential remains, and nobody else uses the secret.

        Raises:
            AzureProblem: something cannot be read.
        """
        evidence = Evidence(self._old, self._live)
        if evidence.registration is not None and not evidence.secrets:
            return Finding(f"the app registration {evidence.app_id} has no secret")
        # An interrupted command has restarted the app, which has not called a channel yet: the
        # second proof waits for that.
        goes_on = (
            evidence.unused_since is not None
            and evidence.site is not None
            and not password_removals(evidence.live.azure.arm, evidence.site)
        )
        obstacle = first_obstacle(evidence, fresh_call=not goes_on)
        if obstacle is None and not self._ignore_other_use:
            obstacle = next(other_use(evidence), None)
        if obstacle is not None:
            return Finding(str(obstacle), refusal=str(obstacle))
        if not goes_on:
            self._first_start = evidence.started
        return Finding(_proven(evidence), notes=self._notes(evidence))

    def _notes(self, evidence: Evidence) -> tuple[str, ...]:
        notes = []
        if self._ignore_other_use and (found := next(other_use(evidence), None)):
            notes.append(f"ignored, as you said: {found.reason}")
        if evidence.sign_ins.problem:
            notes.append(
                "who else signs in with the secret is not known, because"
                f" {evidence.sign_ins.problem}: {evidence.sign_ins.cure}"
            )
        if unreadable := sorted(set(evidence.holders.unreadable)):
            notes.append(
                f"the settings of {', '.join(unreadable)} cannot be read: check that none of them"
                " holds the secret"
            )
        notes.append(NOT_SEARCHED)
        return tuple(notes)

    def live_settings(self) -> Finding:
        """The settings of the app and its slots have no secret of the bot, and a tag of the Azure
        Bot says since when the app has been restarting without it.

        A settings write restarts the app. If there is nothing to remove, the app is restarted all
        the same: the restarted process has no cached token, so that its proof is a new sign-in.

        Raises:
            AzureProblem: the settings or the tag cannot be read.
        """
        evidence = Evidence(self._old, self._live)
        site = evidence.live.site()
        removals = password_removals(evidence.live.azure.arm, site)
        text = f"{site['name']} has {'a secret' if removals else 'no secret'} in its settings"
        if not evidence.secrets:
            return Finding(text, removals)
        since = evidence.unused_since
        if not removals and since is not None:
            return Finding(f"{text} since {since:%H:%M:%S} UTC")
        restart = restart_change(evidence.live, "so that its next token is a new sign-in")
        first, *others = removals or (restart,)
        timed = replace(first, az=("SINCE=$(date -u +%Y-%m-%dT%H:%M:%SZ)", *first.az))
        now = f"{evidence.now.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
        summary = (
            f"Remember in the tag {UNUSED_SINCE} of {evidence.old.bot_id.name} that the app does"
            " without the secret from now on"
        )
        remember = tag_change(evidence.old, UNUSED_SINCE, now, summary, "$SINCE")
        return Finding(text, (timed, *others, remember))

    def second_proof(self) -> Finding:
        """A process that was started after the secret was gone from the settings has signed in, and
        a channel has accepted its call.

        Raises:
            AzureProblem: something cannot be read.
        """
        evidence = Evidence(self._old, self._live)
        if not evidence.secrets:
            return Finding("there is no secret, so there is nothing to prove")
        missing, answer = self._missing(evidence), evidence.answer
        is_starting = missing and not answer.facts and answer.status in {0, UNAVAILABLE}
        obstacle = None if is_starting else first_obstacle(evidence, fresh_call=False)
        refusal = str(obstacle or "")
        if missing:
            return Finding(missing, waiting=True, az=_loop(evidence.live), refusal=refusal)
        return Finding(refusal or _proven(evidence), refusal=refusal)

    def _missing(self, evidence: Evidence) -> str:
        """The proof that the restarted app still lacks, and what to do; empty: nothing is
        missing."""
        since, answer = evidence.unused_since, evidence.answer
        if since is None:
            return "the app has not been restarted without the secret"
        if not answer.facts:
            return f"the restarted app gives no proof yet: {answer.problem}"
        started, called = evidence.started, evidence.called
        # The tag has seconds only: the first proof's process may have started in the same one.
        if started is None or started < since or started == self._first_start:
            return f"the app that answers has not restarted since {since:%H:%M:%S} UTC"
        if called is None or called < since:
            return f"the restarted app has not called a channel yet: {_WRITE}"
        if evidence.now - called > datetime.timedelta(minutes=MAX_PROOF_MINUTES):
            return f"the last call to a channel is over {MAX_PROOF_MINUTES} minutes old: {_WRITE}"
        return ""

    def secrets(self) -> Finding:
        """The app registration has no secret any more. Each is deleted after one more look at
        everything, a moment before.

        Raises:
            AzureProblem: something cannot be read.
        """
        evidence = Evidence(self._old, self._live)
        if obstacle := next(registration_is_unknown(evidence), None):
            return Finding(obstacle.reason, refusal=str(obstacle))
        left = [one for one in evidence.secrets if one["keyId"] not in self._deleted]
        if not left and evidence.secrets:
            text = "Microsoft Graph still returns a deleted secret: it is replicating"
            return Finding(text, waiting=True)
        if not left:
            notes = (_AGAIN,) if self._deleted else ()
            return Finding(f"the app registration {evidence.app_id} has no secret", notes=notes)
        self._seen |= {one["keyId"]: _described(one) for one in left}
        if refusal := self._refusal(evidence):
            return Finding(refusal, refusal=refusal)
        named = "".join(f"\n  {text}" for text in self._seen.values())
        question = (
            f"After this, {evidence.old.options.bot} (app id {evidence.app_id}) can never sign in"
            f" with:{named}\n"
            f"Delete {_count(len(self._seen))}?"
        )
        return Finding(
            f"the app registration {evidence.app_id} has {_count(len(left))}",
            tuple(self._deletion(evidence, secret) for secret in left),
            question=question,
        )

    def _refusal(self, evidence: Evidence) -> str:
        """Why no secret may be deleted at this moment; empty: it may."""
        options = self._old.options
        obstacle = first_obstacle(evidence, fresh_call=not options.dry_run)
        if obstacle is not None:
            return str(obstacle)
        if options.dry_run:
            return ""  # the app has not been restarted, because nothing is changed
        missing = self._missing(evidence)
        return f"{missing}.\nThen run this command again: `{options.again}`." if missing else ""

    def _deletion(self, evidence: Evidence, secret: JsonObject) -> Change:
        key_id, graph = secret["keyId"], evidence.old.azure.graph
        path = f"/applications/{(evidence.registration or {})['id']}/removePassword"
        delete = az("ad app credential delete", {"--id": evidence.app_id, "--key-id": key_id})
        return Change(
            method="POST",
            url=graph.url(path),
            body={"keyId": key_id},
            summary=f"Delete the secret {_described(secret)}",
            az=(delete,),
            service="graph",
            send=partial(self._delete, path, key_id),
        )

    def _delete(self, path: str, key_id: str) -> None:
        """Look once more, and delete one secret.

        Raises:
            Refused: something has changed since; nothing was deleted.
            AzureProblem: it cannot be read or deleted.
        """
        evidence = Evidence(self._old, self._live)
        if refusal := self._refusal(evidence):
            raise Refused(refusal)
        if key_id in {secret["keyId"] for secret in evidence.secrets}:
            try:
                self._old.azure.graph.send("POST", path, {"keyId": key_id})
            except Refused as error:
                if _GONE not in str(error):
                    raise
        self._deleted.add(key_id)

    def old_settings(self) -> Finding:
        """The app that answered before, behind the tag `previousEndpoint` or the replaced bot's
        endpoint, has no deleted secret in its settings. This comes last: until the secret is
        deleted, it is the way back.

        The tag stays: an interrupted command needs it to find the old app, and `back` works again
        once the old app has a new secret.

        Raises:
            AzureProblem: the bot or the list of apps cannot be read.
        """
        evidence = Evidence(self._old, self._live)
        site, live = evidence.old_site, evidence.site or {}
        if site is None or site["id"].lower() == str(live.get("id")).lower():
            return Finding("there is no old app, or your account does not see it")
        try:
            removals = password_removals(evidence.old.azure.arm, site)
        except AzureProblem as error:
            note = f"delete the bot's secret from the settings of {site['name']} yourself: {error}"
            return Finding(f"the settings of {site['name']} cannot be read", notes=(note,))
        has = "still has the secret" if removals else "has no secret"
        return Finding(f"{site['name']} {has} in its settings", removals)


def _proven(evidence: Evidence) -> str:
    """The result of a proof without obstacles, for people."""
    called = f"{evidence.called:%H:%M:%S} UTC" if evidence.called else "never"
    thumbprint = evidence.fact("certificateThumbprint").upper()
    key = f" {thumbprint}" if thumbprint else ""
    return (
        f"the app signs in as {evidence.fact('appId').lower()} with the credential"
        f" {evidence.fact('kind')}{key}; its last call to a channel was at {called}"
    )


def _loop(target: Target) -> tuple[str, ...]:
    """Shell lines that wait until the app proves it; $SINCE is when the secret was removed."""
    proved = (
        """STARTED=$(echo "$FACTS" | sed -n 's/.*"processStartedOn": "\\([^"]*\\)".*/\\1/p')""",
        """CALLED=$(echo "$FACTS" | sed -n 's/.*"lastOutboundCall": "\\([^"]*\\)".*/\\1/p')""",
        'if [[ "$STARTED" > "${SINCE%Z}" && "$CALLED" > "$STARTED" ]]; then break; fi',
    )
    return (
        "# Write to the bot now, in Teams or in Test in Web Chat.",
        *proof_loop(target, proved, attempts=60, pause=10, advice="delete nothing"),
    )


def _described(secret: JsonObject) -> str:
    """A secret's key id, hint, name and end; its value is known to nobody."""
    hint = f"{secret.get('hint') or '???'}..."
    name = secret.get("displayName") or "without a name"
    ends = str(secret.get("endDateTime") or "never")[:10]
    return f"{secret['keyId']} ({hint}, {name}, ends {ends})"


def _count(number: int) -> str:
    return "1 secret" if number == 1 else f"{number} secrets"
