"""A connection string with a shared access signature, as the Azure SDK makes it."""

import datetime

from azure.storage.blob import (
    AccountSasPermissions,
    ResourceTypes,
    Services,
    generate_account_sas,
)

KEY = "AccountKey"


def with_signature(connection_string: str) -> str:
    """The same account's connection string, with a signature in the key's place.

    Args:
        connection_string: with the account's name and key.
    """
    settings = dict(pair.split("=", 1) for pair in connection_string.split(";"))
    signature = generate_account_sas(
        settings["AccountName"],
        settings.pop(KEY),
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(
            read=True,
            write=True,
            delete=True,
            list=True,
            add=True,
            create=True,
            update=True,
            process=True,
        ),
        datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1),
        services=Services(blob=True, queue=True),
    )
    settings["SharedAccessSignature"] = signature
    return ";".join(f"{name}={value}" for name, value in settings.items())
