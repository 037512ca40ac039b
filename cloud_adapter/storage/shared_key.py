"""SharedKey: signs requests with a storage account's key.

Source: Microsoft reference "Authorize with Shared Key".
"""

import base64
import hmac
from collections.abc import Mapping

from cloud_adapter.storage.request import StorageRequest


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
