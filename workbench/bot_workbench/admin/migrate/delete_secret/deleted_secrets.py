"""DeletedSecrets: the app registration has no secret any more."""

from functools import partial

from bot_workbench.admin.azure.errors import Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.delete_secret.case import Case
from bot_workbench.admin.migrate.delete_secret.evidence.evidence import Evidence
from bot_workbench.admin.migrate.delete_secret.guards.remaining_credential import (
    registration_is_unknown,
)
from bot_workbench.admin.migrate.delete_secret.second_proof import what_is_missing
from bot_workbench.admin.plan.shell import az
from bot_workbench.admin.plan.step import Change, Finding

_AGAIN = (
    "check again in an hour (command status): cached tokens are valid that long, and hide that"
    " something still needed the secret"
)

_GONE = "No password credential found"
"""Graph's words for a key id that the registration does not have (any more)."""


class DeletedSecrets:
    """Each secret is deleted after one more look at everything, a moment before.

    Args:
        case: the bots.
    """

    title = "Secrets of the app registration"

    def __init__(self, case: Case) -> None:
        self._case = case
        self._seen: dict[str, str] = {}
        self._deleted: set[str] = set()

    def look(self) -> Finding:
        """Read the registration, and check everything again.

        Raises:
            AzureProblem: something cannot be read.
        """
        evidence = self._case.evidence()
        if obstacle := registration_is_unknown(evidence):
            return Finding(obstacle.reason, refusal=str(obstacle))
        left = [one for one in evidence.secrets if one["keyId"] not in self._deleted]
        if not left:
            return self._done(evidence)
        self._seen |= {one["keyId"]: _described(one) for one in left}
        if refusal := self._refusal(evidence):
            return Finding(refusal, refusal=refusal)
        return Finding(
            f"the app registration {evidence.app_id} has {_count(len(left))}",
            tuple(self._change(evidence, secret) for secret in left),
            question=self._question(evidence),
        )

    def _done(self, evidence: Evidence) -> Finding:
        if evidence.secrets:
            text = "Microsoft Graph still returns a deleted secret: it is replicating"
            return Finding(text, waiting=True)
        notes = (_AGAIN,) if self._deleted else ()
        return Finding(f"the app registration {evidence.app_id} has no secret", notes=notes)

    def _refusal(self, evidence: Evidence) -> str:
        """Why no secret may be deleted at this moment; empty: it may."""
        obstacle = self._case.obstacle(evidence, fresh_call=not self._case.old.options.dry_run)
        if obstacle is not None:
            return str(obstacle)
        if self._case.old.options.dry_run:
            return ""  # the app has not been restarted, because nothing is changed
        missing = what_is_missing(evidence, self._case.first_start)
        again = evidence.old.options.again
        return f"{missing}.\nThen run this command again: `{again}`." if missing else ""

    def _question(self, evidence: Evidence) -> str:
        named = "".join(f"\n  {text}" for text in self._seen.values())
        return (
            f"After this, {evidence.old.options.bot} (app id {evidence.app_id}) can never sign in"
            f" with:{named}\n"
            f"Delete {_count(len(self._seen))}?"
        )

    def _change(self, evidence: Evidence, secret: JsonObject) -> Change:
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
        evidence = self._case.evidence()
        if refusal := self._refusal(evidence):
            raise Refused(refusal)
        if key_id in {secret["keyId"] for secret in evidence.secrets}:
            try:
                self._case.old.azure.graph.send("POST", path, {"keyId": key_id})
            except Refused as error:
                if _GONE not in str(error):
                    raise
        self._deleted.add(key_id)


def _described(secret: JsonObject) -> str:
    """A secret's key id, hint, name and end; its value is known to nobody."""
    hint = f"{secret.get('hint') or '???'}..."
    name = secret.get("displayName") or "without a name"
    ends = str(secret.get("endDateTime") or "never")[:10]
    return f"{secret['keyId']} ({hint}, {name}, ends {ends})"


def _count(number: int) -> str:
    return "1 secret" if number == 1 else f"{number} secrets"
