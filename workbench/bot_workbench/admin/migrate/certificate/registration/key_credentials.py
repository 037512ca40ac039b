"""KeyCredentials: the certificates of an app registration, as Graph's `keyCredentials` has them.

PATCH replaces the whole collection: an entry that is left out is deleted, and an entry that was
edited is refused ("Update to existing credential with KeyId '...' is not allowed"). So each old
entry is sent back as it was read, with its `key` null (Microsoft Graph, "Update application").
"""

import datetime
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.public_certificate import PublicCertificate
from bot_workbench.admin.migrate.thumbprints import of_key_credential


@dataclass(frozen=True)
class KeyCredentials:
    """The entries of `keyCredentials`, as one read returned them.

    Attributes:
        entries: as Graph returned them.
    """

    entries: tuple[JsonObject, ...]

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

    def usable(self, thumbprint: str, now: datetime.datetime) -> JsonObject | None:
        """The entry of this certificate that has not ended, if there is one."""
        usable = [entry for entry in self.of(thumbprint) if ends(entry) > now]
        return max(usable, key=ends, default=None)

    def with_certificate(self, certificate: PublicCertificate) -> list[JsonObject]:
        """The collection to send: all entries unchanged, and the certificate's at the end."""
        return [*self._unchanged(), certificate.key_credential()]

    def without(self, key_ids: Collection[str]) -> list[JsonObject]:
        """The collection to send: all entries unchanged but for those to delete."""
        return [entry for entry in self._unchanged() if entry["keyId"] not in key_ids]

    def _unchanged(self) -> Iterator[JsonObject]:
        for entry in self.entries:
            yield {**entry, "key": None}


def entry_thumbprint(entry: JsonObject) -> str:
    """The SHA-1 thumbprint of an entry in upper-case hex; empty if it cannot be known."""
    return of_key_credential(entry).sha1


def ends(entry: JsonObject) -> datetime.datetime:
    """When an entry ends (UTC); Graph may send seven digits of a second."""
    text = re.sub(r"\.\d+", "", str(entry.get("endDateTime") or "9999-12-31T00:00:00Z"))
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
