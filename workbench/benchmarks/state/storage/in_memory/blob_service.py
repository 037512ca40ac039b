"""BlobService: containers and blobs in memory."""

import re
from email.utils import formatdate
from http import HTTPStatus
from xml.sax.saxutils import escape

from benchmarks.state.storage.in_memory.blob import (
    InMemoryBlob,
    check_conditions,
    check_lease,
    lease_action,
    metadata_of,
)
from benchmarks.state.storage.in_memory.message import (
    ServiceError,
    ServiceRequest,
    ServiceResponse,
)

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_NOW = formatdate(usegmt=True)
"""The time of every change: no client compares it."""


class BlobService:
    """The account's containers."""

    def __init__(self) -> None:
        self._containers: dict[str, dict[str, InMemoryBlob]] = {}
        self._operations = {
            ("PUT", ""): self._put,
            ("PUT", "appendblock"): self._append,
            ("PUT", "metadata"): self._put_metadata,
            ("PUT", "lease"): self._lease,
            ("GET", ""): self._get,
            ("GET", "metadata"): self._properties,
            ("HEAD", "metadata"): self._properties,
            ("HEAD", ""): self._properties,
            ("DELETE", ""): self._delete,
        }

    def handle(self, request: ServiceRequest) -> ServiceResponse:
        """Handle a request.

        Raises:
            ServiceError: it is refused.
        """
        container, *rest = request.path
        if request.query.get("restype") == "container":
            return self._handle_container(container, request)
        blobs = self._blobs(container)
        operation = self._operations.get((request.method, request.query.get("comp", "")))
        if operation is None:
            raise ServiceError(HTTPStatus.BAD_REQUEST, "UnsupportedQueryParameter")
        return operation(request, blobs, "/".join(rest))

    def _handle_container(self, name: str, request: ServiceRequest) -> ServiceResponse:
        if request.query.get("comp") == "list":
            return self._list(request, self._blobs(name))
        if request.method != "PUT":
            self._blobs(name)
            return ServiceResponse(HTTPStatus.OK, {"Last-Modified": _NOW})
        if name in self._containers:
            raise ServiceError(HTTPStatus.CONFLICT, "ContainerAlreadyExists")
        self._containers[name] = {}
        return ServiceResponse(HTTPStatus.CREATED, {"ETag": '"0x1"', "Last-Modified": _NOW})

    def _blobs(self, container: str) -> dict[str, InMemoryBlob]:
        try:
            return self._containers[container]
        except KeyError:
            raise ServiceError(HTTPStatus.NOT_FOUND, "ContainerNotFound") from None

    @staticmethod
    def _list(request: ServiceRequest, blobs: dict[str, InMemoryBlob]) -> ServiceResponse:
        prefix, marker = request.query.get("prefix", ""), request.query.get("marker", "")
        size = int(request.query.get("maxresults", "5000"))
        names = sorted(name for name in blobs if name.startswith(prefix) and name >= marker)
        following = names[size] if len(names) > size else ""
        parts = (
            f"<Blob><Name>{escape(name)}</Name><Properties><Etag>{blobs[name].etag}</Etag>"
            f"<Last-Modified>{_NOW}</Last-Modified>"
            f"<Content-Length>{len(blobs[name].content)}</Content-Length>"
            f"<BlobType>{blobs[name].kind}</BlobType></Properties></Blob>"
            for name in names[:size]
        )
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults>'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{''.join(parts)}</Blobs>"
            f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
        )
        return ServiceResponse(HTTPStatus.OK, {"Content-Type": "application/xml"}, body.encode())

    @staticmethod
    def _put(request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str) -> ServiceResponse:
        blob = blobs.get(name)
        check_conditions(request, blob)
        check_lease(request, blob)
        kind = request.headers["x-ms-blob-type"]
        lease = blob.lease if blob is not None else None
        blob = InMemoryBlob(kind, bytearray(request.body), metadata_of(request), lease=lease)
        blobs[name] = blob
        return _written(blob, HTTPStatus.CREATED)

    @staticmethod
    def _append(
        request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str
    ) -> ServiceResponse:
        blob = _found(blobs, name)
        check_conditions(request, blob)
        check_lease(request, blob)
        if blob.kind != "AppendBlob":
            raise ServiceError(HTTPStatus.CONFLICT, "InvalidBlobType")
        offset = len(blob.content)
        blob.content += request.body
        blob.blocks += 1
        headers = {
            "x-ms-blob-append-offset": f"{offset}",
            "x-ms-blob-committed-block-count": f"{blob.blocks}",
        }
        return _written(blob, HTTPStatus.CREATED, headers)

    @staticmethod
    def _put_metadata(
        request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str
    ) -> ServiceResponse:
        blob = _found(blobs, name)
        check_conditions(request, blob)
        check_lease(request, blob)
        blob.metadata = metadata_of(request)
        return _written(blob, HTTPStatus.OK)

    @staticmethod
    def _lease(
        request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str
    ) -> ServiceResponse:
        blob = _found(blobs, name)
        check_conditions(request, blob)
        status, headers = lease_action(request, blob)
        headers |= {"ETag": blob.etag, "Last-Modified": _NOW}
        return ServiceResponse(status, headers)

    @staticmethod
    def _get(request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str) -> ServiceResponse:
        blob = _found(blobs, name)
        check_conditions(request, blob)
        text = request.headers.get("x-ms-range") or request.headers.get("range")
        wanted = _RANGE.fullmatch(text) if text else None
        if wanted is None:
            return ServiceResponse(HTTPStatus.OK, _properties_of(blob), bytes(blob.content))
        size, begin = len(blob.content), int(wanted[1])
        if begin >= size:
            raise ServiceError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange")
        end = min(int(wanted[2] or size - 1), size - 1)
        headers = {**_properties_of(blob), "Content-Range": f"bytes {begin}-{end}/{size}"}
        content = bytes(blob.content[begin : end + 1])
        return ServiceResponse(HTTPStatus.PARTIAL_CONTENT, headers, content)

    @staticmethod
    def _properties(
        request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str
    ) -> ServiceResponse:
        blob = _found(blobs, name)
        check_conditions(request, blob)
        headers = {**_properties_of(blob), "Content-Length": f"{len(blob.content)}"}
        return ServiceResponse(HTTPStatus.OK, headers)

    @staticmethod
    def _delete(
        request: ServiceRequest, blobs: dict[str, InMemoryBlob], name: str
    ) -> ServiceResponse:
        blob = _found(blobs, name)
        check_conditions(request, blob)
        check_lease(request, blob)
        del blobs[name]
        return ServiceResponse(HTTPStatus.ACCEPTED)


def _found(blobs: dict[str, InMemoryBlob], name: str) -> InMemoryBlob:
    try:
        return blobs[name]
    except KeyError:
        raise ServiceError(HTTPStatus.NOT_FOUND, "BlobNotFound") from None


def _written(
    blob: InMemoryBlob, status: HTTPStatus, headers: dict[str, str] | None = None
) -> ServiceResponse:
    blob.touch()
    return ServiceResponse(status, {**(headers or {}), "ETag": blob.etag, "Last-Modified": _NOW})


def _properties_of(blob: InMemoryBlob) -> dict[str, str]:
    is_leased = blob.lease is not None and blob.lease.is_active
    return {
        **blob.metadata,
        "ETag": blob.etag,
        "Last-Modified": _NOW,
        "Content-Type": "application/octet-stream",
        "x-ms-blob-type": blob.kind,
        "x-ms-lease-status": "locked" if is_leased else "unlocked",
        "x-ms-lease-state": "leased" if is_leased else "available",
    }
