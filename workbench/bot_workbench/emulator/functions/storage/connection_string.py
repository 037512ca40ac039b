"""ConnectionString: where a storage account is, and what authorizes requests to it."""

import base64
import hmac
import time
from urllib.parse import urlencode

VERSION = "2021-12-02"
"""Of the REST interface, and of signatures."""

DEVELOPMENT_STORAGE = (
    "AccountName=devstoreaccount1;AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1"
)
"""The meaning of `UseDevelopmentStorage=true`: Azurite's account, whose key is published."""

PERMISSIONS = "rwacup"
"""Read, write, add, create, update and process: what a host does with blobs and messages."""

_DAY_SECONDS = 24 * 60 * 60


class ConnectionString:
    """A connection string with an account key or a shared access signature.

    Source: Microsoft's reference "Configure Azure Storage connection strings".

    Raises:
        ValueError: it is neither.
    """

    def __init__(self, text: str) -> None:
        pairs = [part.partition("=") for part in text.rstrip(";").split(";")]
        parts = {name.strip().lower(): value for name, _, value in pairs}
        if parts.get("usedevelopmentstorage", "").lower() == "true":
            pairs = [part.partition("=") for part in DEVELOPMENT_STORAGE.split(";")]
            parts = {name.lower(): value for name, _, value in pairs}
        self._parts = parts
        self._account = parts.get("accountname", "")
        self._key = base64.b64decode(parts.get("accountkey", ""), validate=True)
        self._given = parts.get("sharedaccesssignature", "").removeprefix("?")
        if not self._given and not (self._account and self._key):
            raise ValueError("no account key and no shared access signature")

    def url(self, part: str) -> str:
        """The URL of the account's `blob` or `queue` service.

        Raises:
            ValueError: the text does not say it.
        """
        if url := self._parts.get(f"{part}endpoint"):
            return url.rstrip("/")
        if not self._account:
            raise ValueError("no account name")
        protocol = self._parts.get("defaultendpointsprotocol", "https")
        suffix = self._parts.get("endpointsuffix", "core.windows.net")
        return f"{protocol}://{self._account}.{part}.{suffix}"

    def signature(self, part: str) -> str:
        """A query that authorizes requests to one service: the given one, or one for a year.

        Source: Microsoft's reference "Create an account SAS".

        Args:
            part: `queue` or `blob`.
        """
        if self._given:
            return self._given
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 365 * _DAY_SECONDS))
        fields = {"sp": PERMISSIONS, "ss": part[0], "srt": "sco", "se": expiry, "sv": VERSION}
        signed = [self._account, PERMISSIONS, part[0], "sco", "", expiry, "", "", VERSION, "", ""]
        digest = hmac.digest(self._key, "\n".join(signed).encode(), "sha256")
        return urlencode({**fields, "sig": base64.b64encode(digest).decode()})
