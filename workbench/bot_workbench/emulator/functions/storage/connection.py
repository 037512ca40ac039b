"""StorageConnection: the storage account that a binding names, found as the Functions host does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from bot_workbench.emulator.functions.errors import ConnectionMissingError, FunctionError
from bot_workbench.emulator.functions.storage.connection_string import ConnectionString

DEFAULT = "AzureWebJobsStorage"
PREFIX = "AzureWebJobs"
MANAGED_IDENTITY = "managedidentity"


@dataclass(frozen=True)
class StorageConnection:
    """The queues or the blobs of one storage account.

    Attributes:
        part: `queue` or `blob`.
        url: their URL, without a slash at the end.
        connection_string: authorizes requests; empty: a managed identity does.
        client_id: the managed identity's (GUID); empty: the system-assigned one.
    """

    part: str
    url: str
    connection_string: str = field(default="", repr=False)
    client_id: str = ""

    @classmethod
    def of(cls, part: str, name: str, environ: Mapping[str, str]) -> Self:
        """The account that the settings of a connection name.

        A setting with the connection's name holds a connection string. Otherwise, settings that
        start with that name and two underscores hold the account's name or URL, and the managed
        identity that signs in. A name with the prefix AzureWebJobs comes first.
        Source: StorageClientProvider of Microsoft.Azure.WebJobs.Extensions.Storage.Common.

        Args:
            part: `queue` or `blob`.
            name: the binding's `connection`; empty: AzureWebJobsStorage.
            environ: the app's settings.

        Raises:
            ConnectionMissingError: none of these settings has a value.
            FunctionError: one of them is invalid.
        """
        name = name or DEFAULT
        for setting in (PREFIX + name, name):
            if text := environ.get(setting):
                return cls._by_connection_string(part, setting, text)
            if url := _url(part, setting, environ):
                return cls._by_identity(part, url, setting, environ)
        raise ConnectionMissingError(
            f"set {name} to a connection string (such as UseDevelopmentStorage=true), or "
            f"{name}__{part}ServiceUri or {name}__accountName for a managed identity."
        )

    @classmethod
    def _by_connection_string(cls, part: str, setting: str, text: str) -> Self:
        try:
            return cls(part, _checked(ConnectionString(text).url(part)), text)
        # The error's text is left out: it may contain the account key.
        except ValueError:
            raise FunctionError(
                f"{setting} is not a storage connection string: copy it again, or use "
                "UseDevelopmentStorage=true."
            ) from None

    @classmethod
    def _by_identity(cls, part: str, url: str, setting: str, environ: Mapping[str, str]) -> Self:
        method = environ.get(f"{setting}__credential") or MANAGED_IDENTITY
        if method.lower() != MANAGED_IDENTITY:
            raise FunctionError(
                f"{setting}__credential is {method}: this host supports {MANAGED_IDENTITY}."
            )
        try:
            _checked(url)
        except ValueError:
            raise FunctionError(f"{setting}__{part}ServiceUri is not a URL.") from None
        return cls(part, url, client_id=environ.get(f"{setting}__clientId", ""))


def _checked(text: str) -> str:
    """The text. Raises: ValueError: it is not the URL of a service."""
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
        raise ValueError("no URL")
    return text


def _url(part: str, setting: str, environ: Mapping[str, str]) -> str:
    """The URL of one part of the account in the settings; empty if they have none."""
    account = environ.get(f"{setting}__accountName")
    default = f"https://{account}.{part}.core.windows.net" if account else ""
    return (environ.get(f"{setting}__{part}ServiceUri") or default).rstrip("/")
