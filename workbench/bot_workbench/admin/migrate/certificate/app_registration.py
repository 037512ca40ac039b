"""The certificates of a bot's app registration, and the steps that add and delete some.

Graph's PATCH replaces the whole collection `keyCredentials`: an entry that is left out is deleted,
and an entry that was edited is refused ("Update to existing credential with KeyId '...' is not
allowed"). So each old entry is sent back as it was read, with its `key` null (Microsoft Graph,
"Update application").
"""

import datetime
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from bot_workbench.admin.azure.errors import Conflict, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.migrate.certificate.certificates import PublicCertificate, display_name
from bot_workbench.admin.migrate.certificate.key_vault import BotVault
from bot_workbench.admin.migrate.thumbprints import of_key_credential
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Change, Finding, Step

READS = 3
"""The number of reads of the registration in one look. Graph is eventually consistent: a read may
be answered by a replica that does not know the last write yet. Reads that differ show that."""

UNKNOWN_KEY: JsonObject = {
    "type": "AsymmetricX509Cert",
    "usage": "Verify",
    "endDateTime": "$END_DATE",
    "key": "$PUBLIC_KEY",
}
"""The entry of a certificate that an earlier step makes, for a dry run."""


@dataclass(frozen=True)
class KeyCredentials:
    """The entries of `keyCredentials`, as one read returned them.

    Attributes:
        entries: as Graph returned them.
        object_id: the registration's `id` (GUID), not its app id; empty: it does not matter.
    """

    entries: tuple[JsonObject, ...]
    object_id: str = ""

    @property
    def key_ids(self) -> frozenset[str]:
        """The key ids (GUID) of all entries."""
        return frozenset(str(entry["keyId"]) for entry in self.entries)

    @property
    def certificates(self) -> frozenset[str]:
        """The thumbprints of all entries, or the key id of an entry whose thumbprint is unknown.

        An entry that is added again has another key id, and is the same certificate.
        """
        return frozenset(entry_thumbprint(entry) or str(entry["keyId"]) for entry in self.entries)

    def of(self, thumbprint: str) -> tuple[JsonObject, ...]:
        """The entries of the certificate with this thumbprint (upper-case hex)."""
        return tuple(entry for entry in self.entries if entry_thumbprint(entry) == thumbprint)

    def usable(self, thumbprint: str) -> JsonObject | None:
        """The entry of this certificate that has not ended, if there is one."""
        now = datetime.datetime.now(datetime.UTC)
        usable = [entry for entry in self.of(thumbprint) if ends(entry) > now]
        return max(usable, key=ends, default=None)

    def without(self, key_ids: Collection[str] = ()) -> list[JsonObject]:
        """The collection to send: all entries unchanged but for those to delete."""
        return [{**entry, "key": None} for entry in self.entries if entry["keyId"] not in key_ids]


def entry_thumbprint(entry: JsonObject) -> str:
    """The SHA-1 thumbprint of an entry in upper-case hex; empty if it cannot be known."""
    return of_key_credential(entry).sha1


def ends(entry: JsonObject) -> datetime.datetime:
    """When an entry ends (UTC); Graph may send seven digits of a second."""
    text = re.sub(r"\.\d+", "", str(entry.get("endDateTime") or "9999-12-31T00:00:00Z"))
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


class UnsettledRegistration(Exception):
    """The reads differ, or lack a certificate that an earlier one had: look again later."""


class NoRegistration(Exception):
    """The directory of the signed-in account has no such registration."""


class AppRegistration:
    """The app registration of a bot.

    `PATCH` replaces all certificates by those that are sent, and Graph has no conditional write for
    applications. What is sent must thus come from a read that misses none. This class reads several
    times, and remembers every certificate that it has seen: as long as a read lacks one of them, it
    is taken as stale, and nothing is sent. So the certificates that were there before a `PATCH` are
    also checked after it.

    Two losses cannot be excluded, and neither can they in the portal or with `az ad app credential
    reset --append`: somebody else adds a certificate between the last read and the `PATCH`, which
    follows at once; or somebody has just added one, and every read is answered by a replica that
    does not know it yet. Secrets and federated credentials cannot be lost, because this `PATCH`
    does not send them.

    Args:
        graph: the client.
        app_id: the bot's id (GUID).

    Attributes:
        added: the thumbprints of the certificates that were added here.
    """

    def __init__(self, graph: GraphClient, app_id: str) -> None:
        self.app_id = app_id
        self.added: set[str] = set()
        self._graph = graph
        self._seen: frozenset[str] = frozenset()

    def read(self, leaving: Collection[str] = ()) -> KeyCredentials:
        """The registration now.

        Args:
            leaving: thumbprints that may be missing, because the caller deletes them.

        Raises:
            NoRegistration: there is none in this tenant.
            UnsettledRegistration: the reads do not agree, or lack a certificate seen before.
            AzureProblem: the directory cannot be read.
        """
        reads = [self._read_once() for _ in range(READS)]
        known = (each.certificates for each in reads)
        self._seen = self._seen.union(*known) - set(leaving)
        first = reads[0]
        if any(each.key_ids != first.key_ids for each in reads):
            raise UnsettledRegistration("Microsoft Graph's answers differ, so it is replicating")
        if missing := self._seen - first.certificates:
            raise UnsettledRegistration(
                "Microsoft Graph no longer returns the certificate"
                f" {', '.join(sorted(missing))}: either its answer is old, or somebody has deleted"
                " it; if so, run the command again"
            )
        return first

    def change(
        self, keys: KeyCredentials, entries: list[JsonObject], summary: str, lines: tuple[str, ...]
    ) -> Change:
        """The change that replaces the certificates.

        Args:
            keys: what `entries` were made from.
            entries: the whole collection.
            summary: for the plan.
            lines: for the shell.
        """
        return Change(
            method="PATCH",
            url=self.url(keys),
            body={"keyCredentials": entries},
            summary=summary,
            az=lines,
            service="graph",
            send=partial(self.replace_keys, keys, entries),
        )

    def replace_keys(self, keys: KeyCredentials, entries: list[JsonObject]) -> None:
        """Send the certificates, unless the registration's have changed since they were read.

        Args:
            keys: what `entries` were made from.
            entries: the whole collection.

        Raises:
            Conflict: they have changed; nothing was changed.
            AzureProblem: the change was refused, or what became of it is not known.
        """
        self._check_unchanged(keys)
        try:
            self._graph.send("PATCH", self.url(keys), {"keyCredentials": entries})
        except Refused:
            # Entries go back without their keys, so one that has just been removed is refused.
            self._check_unchanged(keys)
            raise
        self.added.update(entry_thumbprint(each) for each in entries if each["key"])

    def _check_unchanged(self, keys: KeyCredentials) -> None:
        if self._read_once().key_ids != keys.key_ids:
            raise Conflict("the certificates of the app registration have just changed")

    def url(self, keys: KeyCredentials) -> str:
        """The absolute URL of the registration."""
        return self._graph.url(f"/applications/{keys.object_id}")

    def _read_once(self) -> KeyCredentials:
        found = self._graph.application(self.app_id)
        if found is None:
            raise NoRegistration(f"the directory has no app registration {self.app_id}")
        return KeyCredentials(tuple(found.get("keyCredentials") or ()), str(found["id"]))


def registered_certificate(
    registration: AppRegistration,
    certificate: Callable[[], PublicCertificate | None],
    *,
    vault: str,
    name: str,
    may_be_new: Callable[[], bool] = lambda: False,
) -> Step:
    """The app registration accepts the bot's certificate, beside all that it accepted before.

    Args:
        registration: of the bot.
        certificate: reads the certificate that must be registered; None: it does not exist yet.
        vault: the vault's name, for `az`.
        name: the certificate's name in the vault.
        may_be_new: whether a registration that Graph does not show may have just been made.
    """

    def look() -> Finding:
        wanted = certificate()
        try:
            keys = registration.read()
        except NoRegistration:
            if may_be_new():
                text = "Microsoft Graph does not show the app registration yet"
                return Finding(text, waiting=True)
            return Finding(
                "the app registration is not in this tenant",
                refusal="the tenant that your account is signed in to has no app registration with"
                f" the id {registration.app_id}: it is in another tenant, or deleted. Sign in to"
                " its tenant (`az login --tenant`) as an owner of the app registration or as"
                " Application Administrator. If you cannot reach the Azure Bot and the vault from"
                " there, add the public key by hand",
            )
        except UnsettledRegistration as unsettled:
            return Finding(str(unsettled), waiting=True)
        if wanted is None:
            text, what = "the certificate does not exist yet", "the certificate's public key"
            added = {**UNKNOWN_KEY, "displayName": display_name(name, "$THUMBPRINT")}
        else:
            thumbprint = wanted.thumbprint
            if found := keys.usable(thumbprint):
                return Finding(
                    f"the app registration has the certificate {thumbprint} (key id"
                    f" {found['keyId']}), and others ({len(keys.entries) - 1})",
                    notes=_ends_early(found, wanted),
                )
            text = f"the app registration does not have the certificate {thumbprint}"
            if thumbprint in registration.added:
                # This read is older than the write: what was made from it could lack a certificate.
                return Finding(f"{text} yet, although it was added", waiting=True)
            what, added = f"the public key {thumbprint}", wanted.key_credential()
        change = registration.change(
            keys,
            [*keys.without(), added],
            f"Add {what} to the app registration, and keep its other certificates"
            f" ({len(keys.entries)})",
            _addition(registration.app_id, vault, name),
        )
        return Finding(text, changes=(change,))

    return Step("Public key on the app registration", look)


def _addition(app_id: str, vault: str, name: str) -> tuple[str, ...]:
    """Lines that save the newest version's public part, set THUMBPRINT, and register it."""
    file = f"{name}.pem"
    saved = {"--vault-name": vault, "--name": name, "--encoding": "PEM", "--file": file}
    # --append keeps what is there; without --cert, it would make a secret.
    added = {
        "--id": app_id,
        "--append": None,
        "--cert": f"@{file}",
        "--display-name": display_name(name, "$THUMBPRINT"),
        "--years": "2",
    }
    return (
        f"rm -f {quoted(file)} # the download refuses to overwrite",
        az("keyvault certificate download", saved),
        f"THUMBPRINT=$(openssl x509 -in {quoted(file)} -noout -fingerprint -sha1 | cut -d= -f2 | tr"
        " -d :)",
        az("ad app credential reset", added),
    )


def _ends_early(entry: JsonObject, certificate: PublicCertificate) -> tuple[str, ...]:
    if ends(entry) >= certificate.ends - datetime.timedelta(days=1):
        return ()
    return (
        f"the app registration accepts this certificate until {ends(entry):%Y-%m-%d} only, although"
        f" it is valid until {certificate.ends:%Y-%m-%d}",
    )


def withdrawn_certificates(
    registration: AppRegistration,
    vault: BotVault,
    newest: Callable[[], str],
    in_use: Callable[[], str],
    kept: Callable[[], Collection[str]] = tuple,
) -> Step:
    """The app registration has no key of older versions of the vault's certificate any more; no
    others are deleted.

    Nothing is deleted unless, at this moment, the app signs in with the newest version, and the
    registration has its key. So a key remains with which the app has just signed in. In a dry run,
    earlier steps are only planned, so that this proof is still to come.

    Args:
        registration: of the bot.
        vault: the vault and the certificate's name.
        newest: thumbprint of the version that must be in use; a shell variable if it is unknown.
        in_use: asks the app for the thumbprint that it signs in with; empty: it does not say.
        kept: thumbprints of versions whose keys stay all the same.
    """
    leaving: set[str] = set()

    def look() -> Finding:
        wanted = newest()
        if not vault.dry_run and (used := in_use()) != wanted:
            text = f"the app signs in with {used or 'no certificate'}, not with {wanted}"
            return Finding(f"nothing is deleted while {text}", waiting=True)
        try:
            keys = registration.read(leaving)
        except (UnsettledRegistration, NoRegistration) as unsettled:
            return Finding(str(unsettled), waiting=True)
        if not vault.dry_run and keys.usable(wanted) is None:
            text = f"the app registration does not show the certificate {wanted}"
            return Finding(f"nothing is deleted while {text}", waiting=True)
        made = [each.thumbprint for each in vault.versions()]
        before = made[made.index(wanted) + 1 :] if wanted in made else made
        older = set(before) - {"", *kept()}
        old = [entry for entry in keys.entries if entry_thumbprint(entry) in older]
        if not old:
            return Finding("the app registration has no key of an older version")
        leaving.update(older)
        names = ", ".join(map(entry_thumbprint, old))
        key_ids = [str(entry["keyId"]) for entry in old]
        left = [*keys.without(key_ids), *((UNKNOWN_KEY,) if wanted.startswith("$") else ())]
        change = registration.change(
            keys,
            left,
            f"Delete the public key {names} of an older version from the app registration, and keep"
            f" its other certificates ({len(left)})",
            tuple(
                az(
                    "ad app credential delete",
                    {"--id": registration.app_id, "--cert": None, "--key-id": key_id},
                )
                for key_id in key_ids
            ),
        )
        return Finding(f"the app registration still has {names}", changes=(change,))

    return Step("Older keys on the app registration", look)
