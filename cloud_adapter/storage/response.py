"""What is in the storage account's responses: error codes, headers and XML."""

from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from cloud_adapter.errors import StorageUnavailable
from http_client.connection import Response

NOT_STORAGE = "the server at the storage account's URL is not Azure Storage: check the URL"


def error_code(response: Response) -> str:
    """The account's error code; empty if the call succeeded, or if a proxy refused it.

    Source: Microsoft reference "Status and error codes".
    """
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
