"""CloudFaults: injects faults into the services around the bot."""

from collections.abc import Mapping
from typing import Literal

from bot_testing.errors import ChatMistake
from bot_workbench.emulator.server import Server

Part = Literal[
    "connector", "usertokens", "entra", "identity", "vault", "channel", "model", "storage"
]
"""The services: the connector, which takes the bot's replies; the token service of users; Entra and
the endpoint of managed identities, which give the bot its tokens; Key Vault; the channel's signing
keys; the language model; Azure Storage, blobs and queues."""


class CloudFaults:
    """Switches faults on, and off again at the end of the test.

    Args:
        servers: the local cloud's, by their names.
        storage: the servers in front of the storage account; empty: state is in memory.
    """

    def __init__(self, servers: Mapping[str, Server], storage: list[Server]) -> None:
        self._servers = servers
        self._storage = storage
        self._faulty: list[Server] = []

    def servers(self, part: Part) -> list[Server]:
        """The servers of a service, whose faults `clear` clears.

        Raises:
            ChatMistake: there is no storage account.
        """
        servers = self._storage if part == "storage" else [self._servers[part]]
        if not servers:
            raise ChatMistake('State is in memory: use @pytest.mark.chat(storage="azurite").')
        self._faulty += servers
        return servers

    def clear(self) -> None:
        """Make all services work again."""
        for each in self._faulty:
            each.faults.clear()
        self._faulty.clear()
