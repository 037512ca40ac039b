"""AppRegistration: the app registration of a bot, read so that a stale answer is noticed."""

from collections.abc import Collection
from dataclasses import dataclass

from bot_workbench.admin.azure.errors import Conflict, Refused
from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.azure.services import GraphClient
from bot_workbench.admin.migrate.certificate.registration.key_credentials import KeyCredentials

READS = 3
"""The number of reads of the registration in one look. Graph is eventually consistent: a read may
be answered by a replica that does not know the last write yet. Reads that differ show that."""


@dataclass(frozen=True)
class RegistrationState:
    """A registration, as all reads of one look agree on it.

    Attributes:
        object_id: the registration's `id` (GUID), not its app id.
        keys: its certificates.
    """

    object_id: str
    keys: KeyCredentials


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
    """

    def __init__(self, graph: GraphClient, app_id: str) -> None:
        self.app_id = app_id
        self._graph = graph
        self._seen: frozenset[str] = frozenset()

    def read(self, leaving: Collection[str] = ()) -> RegistrationState:
        """The registration now.

        Args:
            leaving: thumbprints that may be missing, because the caller deletes them.

        Raises:
            NoRegistration: there is none in this tenant.
            UnsettledRegistration: the reads do not agree, or lack a certificate seen before.
            AzureProblem: the directory cannot be read.
        """
        reads = [self._read_once() for _ in range(READS)]
        known = (each.keys.certificates for each in reads)
        self._seen = self._seen.union(*known) - set(leaving)
        first = reads[0].keys
        if any(each.keys.key_ids != first.key_ids for each in reads):
            raise UnsettledRegistration("Microsoft Graph's answers differ, so it is replicating")
        if missing := self._seen - first.certificates:
            raise UnsettledRegistration(
                "Microsoft Graph no longer returns the certificate"
                f" {', '.join(sorted(missing))}: either its answer is old, or somebody has deleted"
                " it; if so, run the command again"
            )
        return reads[0]

    def replace_keys(self, state: RegistrationState, entries: list[JsonObject]) -> None:
        """Send the certificates, unless the registration's have changed since they were read.

        Args:
            state: what `entries` were made from.
            entries: the whole collection.

        Raises:
            Conflict: they have changed; nothing was changed.
            AzureProblem: the change was refused, or what became of it is not known.
        """
        self._check_unchanged(state)
        try:
            self._graph.send("PATCH", self.url(state), {"keyCredentials": entries})
        except Refused:
            # Entries go back without their keys, so one that has just been removed is refused.
            self._check_unchanged(state)
            raise

    def _check_unchanged(self, state: RegistrationState) -> None:
        if self._read_once().keys.key_ids != state.keys.key_ids:
            raise Conflict("the certificates of the app registration have just changed")

    def url(self, state: RegistrationState) -> str:
        """The absolute URL of the registration."""
        return self._graph.url(f"/applications/{state.object_id}")

    def _read_once(self) -> RegistrationState:
        found = self._graph.application(self.app_id)
        if found is None:
            raise NoRegistration(f"the directory has no app registration {self.app_id}")
        entries: list[JsonObject] = found.get("keyCredentials") or []
        return RegistrationState(str(found["id"]), KeyCredentials(tuple(entries)))
