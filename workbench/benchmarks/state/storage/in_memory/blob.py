"""InMemoryBlob and its lease, with the conditions of requests.

Source: Microsoft's REST reference, "Lease Blob" and "Specifying conditional headers for Blob
service operations".
"""

import itertools
import time
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus

from benchmarks.state.storage.in_memory.message import ServiceError, ServiceRequest

_ETAGS = itertools.count(1)
_PREFIX = "x-ms-meta-"


@dataclass
class BlobLease:
    """The lease of a blob in memory.

    Attributes:
        id: GUID.
        seconds: its duration; -1: for ever.
        until: when it ends, on the clock of `time.monotonic`.
    """

    id: str
    seconds: int
    until: float = 0.0

    def renew(self) -> None:
        """Start its duration again."""
        self.until = time.monotonic() + self.seconds if self.seconds > 0 else float("inf")

    @property
    def is_active(self) -> bool:
        """Whether it still protects the blob."""
        return time.monotonic() < self.until


@dataclass
class InMemoryBlob:
    """A blob in memory.

    Attributes:
        kind: BlockBlob or AppendBlob.
        content: its bytes.
        metadata: headers that begin with `x-ms-meta-`.
        etag: changes with each write.
        lease: the last one, which may have ended; None: it has none.
    """

    kind: str
    content: bytearray
    metadata: dict[str, str]
    etag: str = ""
    lease: BlobLease | None = None
    blocks: int = field(default=0)

    def touch(self) -> None:
        """Note a write: the ETag changes, and a lease that has ended cannot be renewed any more."""
        self.etag = f'"0x{next(_ETAGS):X}"'
        if self.lease is not None and not self.lease.is_active:
            self.lease = None


def metadata_of(request: ServiceRequest) -> dict[str, str]:
    """The metadata that a request sets."""
    return {name: text for name, text in request.headers.items() if name.startswith(_PREFIX)}


def check_conditions(request: ServiceRequest, blob: InMemoryBlob | None) -> None:
    """Compare a request's conditions with the blob, None if there is none.

    Raises:
        ServiceError: a condition is not met.
    """
    if_match, if_none_match = (request.headers.get(name) for name in ("if-match", "if-none-match"))
    if if_match is not None and (blob is None or if_match not in ("*", blob.etag)):
        raise ServiceError(HTTPStatus.PRECONDITION_FAILED, "ConditionNotMet")
    if if_none_match is None or blob is None:
        return
    if if_none_match == "*" and request.method == "PUT":
        raise ServiceError(HTTPStatus.CONFLICT, "BlobAlreadyExists")
    if if_none_match in ("*", blob.etag):
        raise ServiceError(HTTPStatus.PRECONDITION_FAILED, "ConditionNotMet")


def check_lease(request: ServiceRequest, blob: InMemoryBlob | None) -> None:
    """Check that a write has the id of the blob's lease, and no other.

    Raises:
        ServiceError: it has not.
    """
    given = request.headers.get("x-ms-lease-id")
    lease = blob.lease if blob is not None else None
    if lease is None or not lease.is_active:
        if given is not None:
            is_lost = lease is not None and lease.id == given
            code = "LeaseLost" if is_lost else "LeaseNotPresentWithBlobOperation"
            raise ServiceError(HTTPStatus.PRECONDITION_FAILED, code)
    elif given is None:
        raise ServiceError(HTTPStatus.PRECONDITION_FAILED, "LeaseIdMissing")
    elif given != lease.id:
        code = "LeaseIdMismatchWithBlobOperation"
        raise ServiceError(HTTPStatus.PRECONDITION_FAILED, code)


def lease_action(request: ServiceRequest, blob: InMemoryBlob) -> tuple[HTTPStatus, dict[str, str]]:
    """Run an operation on the blob's lease: acquire, renew, change or release.

    Raises:
        ServiceError: the lease is another's, or there is none.
    """
    action = request.headers["x-ms-lease-action"]
    if action == "acquire":
        return HTTPStatus.CREATED, _acquire(request, blob)
    lease, given = blob.lease, request.headers["x-ms-lease-id"]
    if lease is None:
        code = "LeaseNotPresent" if action == "change" else "LeaseIdMismatch"
        raise ServiceError(HTTPStatus.CONFLICT, f"{code}WithLeaseOperation")
    proposed = request.headers.get("x-ms-proposed-lease-id", "")
    if given != lease.id and not (action == "change" and proposed == lease.id):
        raise ServiceError(HTTPStatus.CONFLICT, "LeaseIdMismatchWithLeaseOperation")
    if action == "release":
        blob.lease = None
        return HTTPStatus.OK, {}
    if action == "change":
        lease.id = proposed
    else:
        lease.renew()
    return HTTPStatus.OK, {"x-ms-lease-id": lease.id}


def _acquire(request: ServiceRequest, blob: InMemoryBlob) -> dict[str, str]:
    lease_id = request.headers.get("x-ms-proposed-lease-id") or str(uuid.uuid4())
    if blob.lease is not None and blob.lease.is_active and blob.lease.id != lease_id:
        raise ServiceError(HTTPStatus.CONFLICT, "LeaseAlreadyPresent")
    blob.lease = BlobLease(lease_id, int(request.headers["x-ms-lease-duration"]))
    blob.lease.renew()
    return {"x-ms-lease-id": lease_id}
