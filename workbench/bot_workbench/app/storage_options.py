"""Which storage account a command works on: two options, and the StorageAccount they name."""

from typing import Annotated

import typer

from auth.outbound.token_provider import TokenProvider
from auth.settings import StorageSource
from bot_workbench.app.cli_credential import CliCredential
from cloud_adapter.storage.account import StorageAccount
from http_client.pool import HttpPool

DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
"""Azurite on this machine, on its default ports, as `make run` starts it."""

AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="NAME",
        help="The bot's storage account in Azure, as the user of `az login`, who needs the roles"
        " Storage Blob Data Contributor and Storage Queue Data Contributor.",
        rich_help_panel="Storage account",
    ),
]

ConnectionStringOption = Annotated[
    str | None,
    typer.Option(
        "--connection-string",
        metavar="TEXT",
        help="Any storage account, by its key. Without this and --account: Azurite on this"
        " machine, as `make run` starts it.",
        rich_help_panel="Storage account",
    ),
]


def storage_account(name: str | None, connection_string: str | None) -> StorageAccount:
    """The account that the options name. Nothing is read or connected; the caller closes it.

    Args:
        name: of an account in Azure.
        connection_string: of any account. With neither: Azurite.

    Raises:
        typer.BadParameter: both are given.
    """
    if name is None:
        return StorageAccount(StorageSource(connection_string or DEVELOPMENT_STORAGE), HttpPool())
    if connection_string is not None:
        raise typer.BadParameter("give --account or --connection-string, not both")
    source = StorageSource(
        blob_url=f"https://{name}.blob.core.windows.net",
        queue_url=f"https://{name}.queue.core.windows.net",
    )
    return StorageAccount(source, HttpPool(), TokenProvider(CliCredential(), max_attempts=1))
