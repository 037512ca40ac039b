"""Which storage account a command is for: what its command line says, as a StorageAccount."""

import argparse

from auth.outbound.credentials import command_line_identity
from auth.settings import StorageSource
from cloud_adapter.storage.account import StorageAccount

DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
"""Azurite on this machine, on its usual ports, as `make run` starts it."""


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Give a command the options that `storage_account` reads."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--account",
        metavar="NAME",
        help="the bot's storage account in Azure, as whom `az login` has signed in; that needs the"
        " roles Storage Blob Data Contributor and Storage Queue Data Contributor",
    )
    choice.add_argument(
        "--connection-string",
        metavar="TEXT",
        default=DEVELOPMENT_STORAGE,
        help="another account, by its key (default: %(default)s, which is Azurite)",
    )


def storage_account(options: argparse.Namespace) -> StorageAccount:
    """The account that the options name. Nothing is read or connected; the caller closes it."""
    if options.account is None:
        return StorageAccount(StorageSource(options.connection_string), None)
    source = StorageSource(
        blob_url=f"https://{options.account}.blob.core.windows.net",
        queue_url=f"https://{options.account}.queue.core.windows.net",
    )
    return StorageAccount(source, command_line_identity())
