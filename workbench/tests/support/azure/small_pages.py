"""Small pages: a local Azure whose lists come one by one."""

import pytest

from bot_workbench.emulator.key_vault import vault
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.server import Exchange


def use_small_pages(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Let each response have one item of a list.

    Returns:
        The lists of which more than one page was read, by the last segment of their paths in lower
        case; it grows with each request.
    """
    read: set[str] = set()

    def note(exchange: Exchange) -> None:
        if "skiptoken" in exchange.query:
            read.add(exchange.path.rpartition("/")[2].lower())

    azure.resource_manager.page_size = azure.graph.page_size = 1
    monkeypatch.setattr(vault, "PAGE_SIZE", 1)
    vaults = [vault.server for vault in azure.vaults.values()]
    for server in (azure.resource_manager.server, azure.graph.server, *vaults):
        server.observer = note
    return read
