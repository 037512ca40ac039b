"""StorageRequest: a request to one of the storage account's services, before it is authorized."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, str] = MappingProxyType({})
"""No parameters, no headers, or no metadata."""


class StorageRequest(NamedTuple):
    """A request.

    Attributes:
        service: blob or queue.
        method: GET, POST, PUT or DELETE.
        path: the resource, not encoded, without a slash before it.
        query: the parameters' lower-case names, and their values, not encoded.
        headers: by lower-case name.
        body: bytes.
    """

    service: str
    method: str
    path: str
    query: Mapping[str, str] = NOTHING
    headers: Mapping[str, str] = NOTHING
    body: bytes = b""
