"""Blobs: a container of the storage account, with conditional writes and leases, or of memory."""

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

from cloud_adapter.errors import BlobChanged, BlobLeased
from cloud_adapter.storage.account import (
    NOTHING,
    StorageAccount,
    StorageRequest,
    error_code,
    header,
    parse_xml,
)
from http_client.observer import moment
from http_client.pool import Response

ANY = "*"
"""In place of an ETag: whatever is stored is replaced."""

LEASE_SECONDS = 15
"""The time for which a lease lasts unless it is renewed: the shortest that Azure offers, since a
process may die while it has one."""


class Blob(NamedTuple):
    """A blob as it was read.

    Attributes:
        content: bytes.
        etag: the version's ETag.
        metadata: names of lower-case letters and digits, and values in ASCII.
        lease_state: `x-ms-lease-state`; empty if the blob was not read, but written.
    """

    content: bytes
    etag: str
    metadata: Mapping[str, str]
    lease_state: str = ""

    @property
    def is_leased(self) -> bool:
        """Whether somebody had its lease when it was read."""
        return self.lease_state == "leased"

    @property
    def was_abandoned(self) -> bool:
        """Whether its last lease expired, or was broken: who had it died, hung, or lost storage.

        A write without a lease, such as an invoke's, ends this state.
        """
        return self.lease_state in _ABANDONED


class BlobEntry(NamedTuple):
    """The name of a blob, and its metadata, as in a listing."""

    name: str
    metadata: Mapping[str, str]


MAX_PART_CHARACTERS = 300
"""Three parts fit into a blob's name, which may have 1,024 characters."""

_MAX_WHOLE_CHARACTERS = MAX_PART_CHARACTERS - 65


@functools.lru_cache(maxsize=256)  # a turn asks for that of its conversation several times
def name_part(text: str) -> str:
    """Encode a text so that it can stand between two slashes of a blob's name.

    Different texts have different parts. Conversation ids may contain anything: slashes, bars,
    other scripts, half a surrogate pair. Letters, digits, hyphens and underscores stay as they are;
    every other byte of the text's UTF-8 becomes `~` and two hex digits, because servers differ in
    how they read what has a meaning in URLs (`%`, `.`, `..`). A long text is cut, and ends in its
    SHA-256. Source: Microsoft reference "Naming and referencing containers, blobs, and metadata".
    """
    quoted = quote(text, safe="", errors="surrogatepass").replace("~", "%7E").replace(".", "%2E")
    part = quoted.replace("%", "~")
    if len(part) <= _MAX_WHOLE_CHARACTERS:
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()
    return f"{part[:_MAX_WHOLE_CHARACTERS]}-{digest}"


MAX_CONCURRENT_DELETES = 16

# Error codes, from Microsoft's reference "Blob service error codes".
_MISSING = frozenset({"BlobNotFound", "ContainerNotFound", "ResourceNotFound"})
_CHANGED = frozenset({"BlobAlreadyExists", "ConditionNotMet"})
_BEYOND_THE_END = frozenset({"InvalidRange"})
_LEASED = frozenset({"LeaseAlreadyPresent", "LeaseIdMissing", "LeaseIsBreakingAndCannotBeAcquired"})
_LEASE_LOST = frozenset(
    {
        "LeaseIdMismatchWithBlobOperation",
        "LeaseIdMismatchWithLeaseOperation",
        "LeaseIsBreakingAndCannotBeChanged",
        "LeaseIsBrokenAndCannotBeRenewed",
        "LeaseLost",
        "LeaseNotPresentWithBlobOperation",
        "LeaseNotPresentWithLeaseOperation",
    }
)
_NOT_LEASED = _LEASE_LOST | _MISSING
_ABANDONED = frozenset({"expired", "broken"})
_REFUSALS = _MISSING | _CHANGED | _LEASED | _LEASE_LOST

_METADATA = "x-ms-meta-"


class BlobContainer:
    """A container, which is created when something is written into it for the first time.

    It remembers the leases that were acquired through it, and writes under them.

    Each method raises StorageUnavailable when the account does not answer, or refuses access.

    Args:
        account: the bot's storage account.
        container: the container's name.
    """

    def __init__(self, account: StorageAccount, container: str) -> None:
        self._account = account
        self._container = container
        # By blob. While a lease is changed, it has its old id or its new one.
        self._leases: dict[str, tuple[str, ...]] = {}

    @moment("blob.read")
    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""
        response = await self._account.call(self._request("GET", name), _MISSING)
        return None if error_code(response) else _blob(response)

    async def read_range(self, name: str, start: int, length: int) -> Blob | None:
        """A part of a blob; None if the blob does not exist.

        Args:
            name: the blob's name.
            start: the position of the first byte.
            length: how many bytes are read at most. If the blob ends before `start`, there are
                none, and ETag and metadata are not known.
        """
        headers = {"x-ms-range": f"bytes={start}-{start + length - 1}"}
        request = self._request("GET", name, headers=headers)
        response = await self._account.call(request, _MISSING | _BEYOND_THE_END)
        if error_code(response) in _BEYOND_THE_END:
            return Blob(b"", "", NOTHING)
        return None if error_code(response) else _blob(response)

    @moment("blob.write")
    async def write(
        self,
        name: str,
        content: bytes,
        etag: str | None,
        metadata: Mapping[str, str] = NOTHING,
        lease_id: str | None = None,
    ) -> str:
        """Write a blob, and return its new ETag.

        Args:
            name: the blob's name.
            content: bytes.
            etag: the ETag of the version to replace; None: the blob must not exist; ANY.
            metadata: names of lower-case letters and digits, because the account sorts others in
                its own way when it checks a signature; values in ASCII.
            lease_id: GUID of the lease that the blob may have; None: one that was acquired here.

        Raises:
            BlobChanged: the blob is not that version, or exists.
            BlobLeased: the blob has another lease.
        """
        return await self._put(name, "BlockBlob", content, etag, metadata, lease_id)

    async def create_append(
        self, name: str, etag: str | None, metadata: Mapping[str, str] = NOTHING
    ) -> str:
        """Write an empty blob that can be appended to, and return its ETag; see `write`.

        Raises:
            BlobChanged: the blob is not that version, or exists.
            BlobLeased: the blob has another lease.
        """
        return await self._put(name, "AppendBlob", b"", etag, metadata, None)

    async def append(
        self, name: str, content: bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Append to a blob; False: it does not exist, and `metadata` is None.

        When an answer is lost, the content may be appended twice.

        Args:
            name: the name of a blob that is only appended to.
            content: up to 4 MiB; a blob takes 50,000 such blocks.
            metadata: of the blob, which is created with it if it does not exist.
        """
        request = self._request("PUT", name, {"comp": "appendblock"}, body=content)
        response = await self._account.call(request, _MISSING)
        if error_code(response) and metadata is not None:
            with contextlib.suppress(BlobChanged):  # another process was quicker
                await self.create_append(name, None, metadata)
            response = await self._account.call(request)
        return not error_code(response)

    @moment("blob.delete")
    async def delete(self, name: str, lease_id: str | None = None) -> None:
        """Delete a blob, if it exists.

        Args:
            name: the blob's name.
            lease_id: as in `write`.

        Raises:
            BlobLeased: the blob has another lease.
        """
        await self._modify(name, self._request("DELETE", name), lease_id)

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete blobs, some at a time; those that do not exist are ignored.

        Raises:
            BlobLeased: a blob has another lease.
        """
        for start in range(0, len(names), MAX_CONCURRENT_DELETES):
            await asyncio.gather(*map(self.delete, names[start : start + MAX_CONCURRENT_DELETES]))

    async def list(self, prefix: str = "") -> AsyncIterator[BlobEntry]:
        """The blobs whose names begin with a prefix, in the order of their names."""
        query = {"restype": "container", "comp": "list", "include": "metadata", "prefix": prefix}
        while True:
            response = await self._account.call(self._request("GET", "", query), _MISSING)
            if error_code(response):
                return
            root = parse_xml(response)
            for blob in root.iter("Blob"):
                metadata = {each.tag: each.text or "" for each in blob.iterfind("Metadata/*")}
                yield BlobEntry(blob.findtext("Name", ""), metadata)
            if not (marker := root.findtext("NextMarker")):
                return
            query["marker"] = marker

    async def acquire_lease(self, name: str, lease_id: str) -> str | None:
        """Acquire a blob's lease, and return the blob's ETag; None if the blob does not exist.

        Args:
            name: the blob's name.
            lease_id: GUID; whoever has the lease can acquire it again.

        Raises:
            BlobLeased: somebody else has the lease.
        """
        headers = {
            "x-ms-lease-action": "acquire",
            "x-ms-lease-duration": str(LEASE_SECONDS),
            "x-ms-proposed-lease-id": lease_id,
        }
        request = self._request("PUT", name, {"comp": "lease"}, headers)
        response = await self._account.call(request, _MISSING | _LEASED)
        if error_code(response) in _LEASED:
            raise BlobLeased("somebody else has the blob's lease")
        if error_code(response):
            return None
        self._leases[name] = (lease_id,)
        return header(response, "etag")

    async def renew_lease(self, name: str, lease_id: str) -> bool:
        """Renew a lease; False: it is lost."""
        return await self._use_lease(name, lease_id, {"x-ms-lease-action": "renew"})

    async def change_lease(self, name: str, lease_id: str, new_id: str) -> bool:
        """Give a lease another id; False: it is lost.

        Args:
            name: the blob's name.
            lease_id: GUID.
            new_id: GUID.
        """
        headers = {"x-ms-lease-action": "change", "x-ms-proposed-lease-id": new_id}
        self._leases[name] = (lease_id, new_id)
        changed = await self._use_lease(name, lease_id, headers)
        if changed:
            self._leases[name] = (new_id,)
        return changed

    async def release_lease(self, name: str, lease_id: str) -> None:
        """Release a lease, unless it is lost."""
        try:
            await self._use_lease(name, lease_id, {"x-ms-lease-action": "release"})
        finally:
            self.forget_lease(name, lease_id)

    def forget_lease(self, name: str, lease_id: str) -> None:
        """Write without a lease from now on: by this process's clock, it has expired."""
        if lease_id in self._leases.get(name, ()):
            del self._leases[name]

    async def _use_lease(self, name: str, lease_id: str, headers: dict[str, str]) -> bool:
        headers["x-ms-lease-id"] = lease_id
        request = self._request("PUT", name, {"comp": "lease"}, headers)
        response = await self._account.call(request, _MISSING | _LEASE_LOST)
        if lost := bool(error_code(response)):
            self.forget_lease(name, lease_id)
        return not lost

    async def _put(
        self,
        name: str,
        kind: str,
        content: bytes,
        etag: str | None,
        metadata: Mapping[str, str],
        lease_id: str | None,
    ) -> str:
        headers = {"x-ms-blob-type": kind}
        headers |= {f"{_METADATA}{key}": text for key, text in metadata.items()}
        if etag is None:
            headers["if-none-match"] = "*"
        elif etag != ANY:
            headers["if-match"] = etag
        request = self._request("PUT", name, headers=headers, body=content)
        response = await self._modify(name, request, lease_id)
        if error_code(response):
            if "if-match" in headers:
                raise BlobChanged("the blob is gone")
            await self._create()
            response = await self._modify(name, request, lease_id)
        return header(response, "etag")

    async def _modify(
        self, name: str, request: StorageRequest, lease_id: str | None = None
    ) -> Response:
        """Modify a blob under its lease; the response may say that the blob is missing.

        A lease that is lost does not matter: the conditions of the request hold without it.
        """
        leases = self._leases.get(name, ()) if lease_id is None else (lease_id,)
        for lease in leases:
            headers = {**request.headers, "x-ms-lease-id": lease}
            response = await self._account.call(request._replace(headers=headers), _REFUSALS)
            if error_code(response) not in _NOT_LEASED:
                break
        else:
            if leases:
                self.forget_lease(name, leases[-1])
            response = await self._account.call(request, _REFUSALS)
        if error_code(response) in _CHANGED:
            raise BlobChanged("the blob exists, or has changed in the meantime")
        if error_code(response) in _LEASED:
            raise BlobLeased("somebody else has the blob's lease")
        return response

    async def _create(self) -> None:
        request = self._request("PUT", "", {"restype": "container"})
        await self._account.call(request, frozenset({"ContainerAlreadyExists"}))

    def _request(
        self,
        method: str,
        name: str,
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        body: bytes = b"",
    ) -> StorageRequest:
        path = f"{self._container}/{name}" if name else self._container
        return StorageRequest("blob", method, path, query, headers, body)


def _blob(response: Response) -> Blob:
    metadata = {
        name.removeprefix(_METADATA): text
        for name, text in response.headers.items()
        if name.startswith(_METADATA)
    }
    lease_state = response.headers.get("x-ms-lease-state", "")
    return Blob(response.body, header(response, "etag"), metadata, lease_state)


class MemoryContainer:
    """Stores blobs until the process ends; used if no storage account is configured.

    It has the methods of BlobContainer that state, references and transcripts need.
    """

    def __init__(self) -> None:
        self._blobs: dict[str, Blob] = {}
        self._versions = count(1)  # shared by all blobs, so that no ETag is ever reused

    @moment("blob.read")
    async def read(self, name: str) -> Blob | None:
        """A blob; None if it does not exist."""
        return self._blobs.get(name)

    @moment("blob.write")
    async def write(
        self,
        name: str,
        content: bytes,
        etag: str | None,
        metadata: Mapping[str, str] = NOTHING,
        lease_id: str | None = None,
    ) -> str:
        """Write a blob, and return its new ETag; see BlobContainer.

        Raises:
            BlobChanged: the blob is another version, is gone, or exists although `etag` is None.
        """
        found = self._blobs.get(name)
        if etag not in (ANY, found.etag if found else None):
            raise BlobChanged("the blob exists, has changed in the meantime, or is gone")
        new = f'"{next(self._versions)}"'
        self._blobs[name] = Blob(content, new, dict(metadata))
        return new

    @moment("blob.delete")
    async def delete(self, name: str, lease_id: str | None = None) -> None:
        """Delete a blob, if it exists."""
        self._blobs.pop(name, None)

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete blobs; those that do not exist are ignored."""
        for name in names:
            self._blobs.pop(name, None)

    async def list(self, prefix: str = "") -> AsyncIterator[BlobEntry]:
        """The blobs whose names begin with a prefix, in the order of their names."""
        for name in sorted(each for each in self._blobs if each.startswith(prefix)):
            if (blob := self._blobs.get(name)) is not None:
                yield BlobEntry(name, blob.metadata)

    async def acquire_lease(self, name: str, lease_id: str) -> str | None:
        """A blob's ETag; None if it does not exist. There is no other process to lease it."""
        blob = self._blobs.get(name)
        return blob and blob.etag

    async def renew_lease(self, name: str, lease_id: str) -> bool:
        """Do nothing."""
        return True

    async def change_lease(self, name: str, lease_id: str, new_id: str) -> bool:
        """Do nothing."""
        return True

    async def release_lease(self, name: str, lease_id: str) -> None:
        """Do nothing."""

    def forget_lease(self, name: str, lease_id: str) -> None:
        """Do nothing."""


Container = BlobContainer | MemoryContainer
"""A container in the storage account, or in memory if there is no account."""
