"""TokenRequest: a request to the token endpoint, as Entra reads it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote_plus

from bot_workbench.emulator.entra.errors import EntraError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEFAULT_SCOPE = "/.default"


@dataclass(frozen=True)
class TokenRequest:
    """Who asks for a token, and with what proof.

    Attributes:
        client_id: GUID.
        secret: a client secret; empty: the client sends an assertion.
        assertion: a JWT in compact form (RFC 7523, section 2.2).
    """

    client_id: str
    secret: str = ""
    assertion: str = ""

    @classmethod
    def of(cls, form: Mapping[str, Any], authorization: str) -> Self:
        """Read a request.

        Args:
            form: the body.
            authorization: the header of this name, in which a client may send its id and secret.

        Raises:
            EntraError: a parameter is missing or wrong.
        """
        given = {**form, **_basic(authorization)}
        client_id = parameter(given, "client_id")
        secret = given.get("client_secret")
        if isinstance(secret, str) and secret:
            return cls(client_id, secret=secret)
        return cls(client_id, assertion=_assertion(given))


def _basic(authorization: str) -> dict[str, str]:
    """The id and secret of an HTTP Basic header (RFC 6749, section 2.3.1); empty: it is another."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        # Entra's code for such a header is undocumented.
        raise EntraError(9002313, "invalid_request", "Request is malformed or invalid.") from error
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}


def parameter(form: Mapping[str, Any], name: str) -> str:
    """A parameter of a form, which must be there.

    Raises:
        EntraError: it is missing or empty.
    """
    value = form.get(name)
    if not isinstance(value, str) or not value:
        raise EntraError(
            900144,
            "invalid_request",
            f"The request body must contain the following parameter: '{name}'.",
        )
    return value


def app_resource(form: Mapping[str, Any]) -> str:
    """The resource (URL or GUID) of a client credentials grant (RFC 6749, section 4.4).

    Raises:
        EntraError: the scope is missing or wrong.
    """
    scope = parameter(form, "scope")
    if len(scope.split()) != 1:
        raise EntraError(
            70011,
            "invalid_scope",
            f"The provided value for the input parameter 'scope' is not valid. "
            f"The scope {scope} is not valid.",
        )
    resource = scope.removesuffix(DEFAULT_SCOPE)
    if resource in ("", scope):
        raise EntraError(
            1002012,
            "invalid_scope",
            f"The provided value for scope {scope} is not valid. Client credential flows must "
            "have a scope value with /.default suffixed to the resource identifier.",
        )
    return resource


def _assertion(form: Mapping[str, Any]) -> str:
    if not form.get("client_assertion"):
        raise EntraError(
            7000216,
            "invalid_client",
            "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type.",
        )
    if parameter(form, "client_assertion_type") != ASSERTION_TYPE:
        # Entra's code for an unknown type is undocumented.
        raise EntraError(9002313, "invalid_request", "Request is malformed or invalid.")
    return parameter(form, "client_assertion")
