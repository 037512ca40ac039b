"""AppRegistration: the app registration of a bot, read so that a stale answer is noticed."""

from collections.abc import Collection
from dataclasses import dataclass

from admin.azure.graph_client import GraphClient
from admin.azure.json_object import JsonObject
from admin.migrate.certificate.key_credentials import KeyCredentials

READS = 3
"""How often one look reads the registration. Graph is eventually consistent: a read may be answered
by a replica that does not know the last write yet. Reads that differ show that."""


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
    times, and remembers every key id that it has seen: as long as a read lacks one of them, it is
    taken as stale, and nothing is sent. So the certificates that were there before a `PATCH` are
    also checked after it.

    One loss cannot be excluded: somebody else adds a certificate after the last read and before the
    `PATCH`, which follows at once. The same happens to two people who use the portal or `az ad app
    credential reset --append` at the same moment. Secrets and federated credentials cannot be lost,
    because this `PATCH` does not send them.

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
            leaving: key ids (GUID) that may be missing, because the caller deletes them.

        Raises:
            NoRegistration: there is none in this tenant.
            UnsettledRegistration: the reads do not agree, or lack a certificate seen before.
            AzureProblem: the directory cannot be read.
        """
        reads = [self._read_once() for _ in range(READS)]
        self._seen = self._seen.union(*(each.keys.key_ids for each in reads)) - set(leaving)
        first = reads[0].keys.key_ids
        if any(each.keys.key_ids != first for each in reads):
            raise UnsettledRegistration("Microsoft Graph's answers differ, so it is replicating")
        if missing := self._seen - first:
            raise UnsettledRegistration(
                f"Microsoft Graph no longer returns the certificate with the key id"
                f" {', '.join(sorted(missing))}: either its answer is old, or somebody has deleted"
                " it; if so, run the command again"
            )
        return reads[0]

    def _read_once(self) -> RegistrationState:
        found = self._graph.application(self.app_id)
        if found is None:
            raise NoRegistration(self.app_id)
        entries: list[JsonObject] = found.get("keyCredentials") or []
        return RegistrationState(str(found["id"]), KeyCredentials(tuple(entries)))
