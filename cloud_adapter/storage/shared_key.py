"""SharedKey: signs requests with a storage account's key.

Source: Microsoft reference "Authorize with Shared Key".
"""

import base64
import hmac
from collections.abc import Mapping

_SERVICE_ORDER = str.maketrans({"-": None, "_": "!"})
"""The service sorts header names by its own alphabet: hyphens do not count, and an underscore comes
before every digit."""


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

    def authorization(
        self, method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str], size: int
    ) -> str:
        """The value of a request's Authorization header.

        Args:
            method: GET, POST, PUT or DELETE.
            url: percent-encoded, without the query.
            query: the parameters' lower-case names, and their values, not encoded.
            headers: by lower-case name; those that begin with `x-ms-` and the conditions count.
            size: bytes of the body.
        """
        names = sorted((n for n in headers if n.startswith("x-ms-")), key=_sort_key)
        lines = [
            f"{method}\n\n\n{size or ''}\n\n{headers.get('content-type', '')}\n\n",
            headers.get("if-match", ""),
            headers.get("if-none-match", ""),
            "\n",
            *(f"{name}:{headers[name]}" for name in names),
            f"/{self._account}{url[url.index('/', len('https://')) :]}",
            *(f"{name}:{query[name]}" for name in sorted(query)),
        ]
        digest = hmac.digest(self._key, "\n".join(lines).encode(), "sha256")
        return f"SharedKey {self._account}:{base64.b64encode(digest).decode()}"


def _sort_key(name: str) -> str:
    return name.translate(_SERVICE_ORDER)
