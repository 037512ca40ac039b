"""StorageEndpoints: where a storage account's services are, and the key or signature for them."""

from typing import NamedTuple

from cloud_adapter.storage.shared_key import SharedKey

_DEVELOPMENT_STORAGE = (
    "AccountName=devstoreaccount1;"
    "AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1"
)
"""What `UseDevelopmentStorage=true` stands for: Azurite's account, whose key is published."""


class StorageEndpoints(NamedTuple):
    """A storage account as requests need it.

    Attributes:
        urls: the URLs of the services `blob` and `queue`, without a slash at the end.
        key: signs the requests; None if a signature or a token does.
        signature: a shared access signature, which is added to each URL's query; empty for none.
    """

    urls: dict[str, str]
    key: SharedKey | None = None
    signature: str = ""

    @classmethod
    def parse(cls, connection_string: str) -> "StorageEndpoints":
        """Read a connection string, as the Azure SDKs do.

        Source: Microsoft reference "Configure Azure Storage connection strings".

        Raises:
            ValueError: it is not the connection string of a storage account.
        """
        pairs = [pair.partition("=") for pair in connection_string.rstrip(";").split(";")]
        settings = {name.upper(): value for name, _, value in pairs}
        if settings.get("USEDEVELOPMENTSTORAGE") == "true":
            return cls.parse(_DEVELOPMENT_STORAGE)
        account, key = settings.get("ACCOUNTNAME", ""), settings.get("ACCOUNTKEY", "")
        signature = settings.get("SHAREDACCESSSIGNATURE", "").removeprefix("?")
        urls = {service: _url(settings, service) for service in ("blob", "queue")}
        if account and key:
            return cls(urls, SharedKey(account, key))
        if not signature:
            raise ValueError("the connection string has neither a key nor a signature")
        return cls(urls, signature=signature)


def _url(settings: dict[str, str], service: str) -> str:
    if url := settings.get(f"{service.upper()}ENDPOINT"):
        return url.rstrip("/")
    if not (account := settings.get("ACCOUNTNAME")):
        raise ValueError("the connection string names no account")
    protocol = settings.get("DEFAULTENDPOINTSPROTOCOL", "https")
    suffix = settings.get("ENDPOINTSUFFIX", "core.windows.net")
    return f"{protocol}://{account}.{service}.{suffix}"
