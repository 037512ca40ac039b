"""Azure Storage's REST protocol: requests, their signature with the account's key, and responses.

Sources: Microsoft reference "Authorize with Shared Key" and "Status and error codes".
"""

import base64
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from cloud_adapter.errors import StorageUnavailable
from http_client.connection import Response

NOTHING: Mapping[str, str] = MappingProxyType({})
"""No parameters, no headers, or no metadata."""

NOT_STORAGE = "the server at the storage account's URL is not Azure Storage: check the URL"


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


class SharedKey:
    """The key of a storage account.

    Args:
        account: the account's name.
        key: the key in base64.

    Raises:
        ValueError: the key is not base64.
    """

    def __init__(self, account: str, key: str) -> None:
        self._account = account
        self._key = base64.b64decode(key, validate=True)

    def authorization(self, request: StorageRequest, url: str, headers: Mapping[str, str]) -> str:
        """The value of a request's Authorization header.

        Args:
            request: the request.
            url: its URL without the query, percent-encoded.
            headers: its headers, with date and version.
        """
        names = sorted(name for name in headers if name.startswith("x-ms-"))
        lines = [
            f"{request.method}\n\n\n{len(request.body) or ''}\n\n\n\n",
            headers.get("if-match", ""),
            headers.get("if-none-match", ""),
            "\n",
            *(f"{name}:{headers[name]}" for name in names),
            f"/{self._account}{url[url.index('/', len('https://')) :]}",
            *(f"{name}:{request.query[name]}" for name in sorted(request.query)),
        ]
        digest = hmac.digest(self._key, "\n".join(lines).encode(), "sha256")
        return f"SharedKey {self._account}:{base64.b64encode(digest).decode()}"


def error_code(response: Response) -> str:
    """The account's error code; empty if the call succeeded, or if a proxy refused it."""
    return response.headers.get("x-ms-error-code", "")


def header(response: Response, name: str) -> str:
    """A header that each successful response has.

    Raises:
        StorageUnavailable: it does not have it.
    """
    try:
        return response.headers[name]
    except KeyError as error:
        raise StorageUnavailable(NOT_STORAGE) from error


def parse_xml(response: Response) -> Element:
    """The root of a response's XML.

    Raises:
        StorageUnavailable: it is malformed, or has a document type, which could declare entities.
    """
    parser = XMLParser(target=_EntityFreeBuilder())  # noqa: S314  # expat's limits, and no entities
    try:
        parser.feed(response.body)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise StorageUnavailable(NOT_STORAGE) from error
    return root


class _EntityFreeBuilder(TreeBuilder):
    def doctype(self, *_: object) -> None:  # the parser's protocol
        raise ParseError("a document type is not allowed")
