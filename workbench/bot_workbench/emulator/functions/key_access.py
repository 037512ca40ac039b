"""KeyAccess: which callers the Functions host obeys, by their keys."""

import hmac
from collections.abc import Mapping

from bot_workbench.emulator.cross_origin import has_loopback_host, is_cross_origin
from bot_workbench.emulator.functions.http_front import HttpResponse
from bot_workbench.emulator.functions.route import ADMIN, ANONYMOUS, FUNCTION


class KeyAccess:
    """A key is sent in the header x-functions-key or the query parameter `code`.

    Without either key, none is needed, as in Core Tools, but the Host header of a call that needs
    one in Azure must name this machine. Requests from pages of other sites are always refused.

    Args:
        function_key: opens functions of the function level.
        master_key: opens all functions, disabled ones too, and /admin.
    """

    def __init__(self, function_key: str | None = None, master_key: str | None = None) -> None:
        self._keys = {
            FUNCTION: [key for key in (function_key, master_key) if key is not None],
            ADMIN: [key for key in (master_key,) if key is not None],
        }

    def refusal(
        self, level: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> HttpResponse | None:
        """The answer to a caller that is not allowed; None if it is.

        Args:
            level: FUNCTION, ADMIN or ANONYMOUS.
            headers: names in lower case.
            query: the fields.
        """
        is_open = level == ANONYMOUS or not self._keys[FUNCTION]
        if _is_from_another_site(is_open and level != ANONYMOUS, headers):
            return HttpResponse(403)
        return None if is_open or self.opens(level, headers, query) else HttpResponse(401)

    def opens(self, level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the request has a key of the level."""
        sent = headers.get("x-functions-key", query.get("code", "")).encode()
        return any(hmac.compare_digest(sent, key.encode()) for key in self._keys[level])


def _is_from_another_site(is_opened: bool, headers: Mapping[str, str]) -> bool:
    # The channel may call through a tunnel, under the tunnel's name; it sends no Origin.
    if not (is_opened or "origin" in headers):
        return False
    return is_cross_origin(headers) or not has_loopback_host(headers)
