"""ContestantAccounts: every contestant's storage account, and the proxies in front of them."""

from collections.abc import Sequence

from benchmarks.state.contestant import (
    AZURITE,
    AZURITE_BY_TOKEN,
    IN_MEMORY,
    IN_PROCESS,
    StateContestant,
)
from benchmarks.state.storage.call import BLOB, QUEUE
from benchmarks.state.storage.in_memory.account import InMemoryAccount
from benchmarks.state.storage.proxy import StorageProxy
from bot_workbench.emulator.cloud import Cloud
from bot_workbench.emulator.storage.azurite import Azurite, CertificateFiles

SETTING = "AzureWebJobsStorage"


class ContestantAccounts:
    """Azurite with and without TLS, and the account in memory; those that the contestants need.

    Args:
        cloud: signs the certificate of the account that takes tokens.
        contestants: each has an account of its own in Azurite.

    Attributes:
        proxies: by contestant, for those whose requests are counted.
    """

    def __init__(self, cloud: Cloud, contestants: Sequence[StateContestant]) -> None:
        self._cloud = cloud
        self._names = {each: f"bench{number}" for number, each in enumerate(contestants)}
        names = tuple(self._names.values())
        # BotBuilder's storage client sends a header of an encryption that Azurite does not have.
        self._azurite = Azurite(accounts=names, loose=True)
        files = CertificateFiles(*cloud.authority.server_files())
        self._secure = Azurite(accounts=names, certificate=files)
        self._in_memory = InMemoryAccount()
        self._kinds = {each.storage for each in contestants}
        self.proxies: dict[StateContestant, StorageProxy] = {}

    async def start(self) -> None:
        """Start what the contestants need.

        Raises:
            AzuriteError: Azurite does not run.
            OSError, TimeoutError: another part does not.
        """
        if AZURITE_BY_TOKEN in self._kinds:
            await self._secure.start()
        if IN_MEMORY in self._kinds:
            await self._in_memory.start()
        if AZURITE in self._kinds:
            await self._azurite.start()
            ports = {BLOB: self._azurite.ports.blob, QUEUE: self._azurite.ports.queue}
            for contestant in self._names:
                if contestant.storage == AZURITE:
                    self.proxies[contestant] = StorageProxy(ports)
                    await self.proxies[contestant].start()

    async def stop(self) -> None:
        """Stop everything."""
        for proxy in self.proxies.values():
            proxy.stop()
        for part in (self._azurite, self._secure, self._in_memory):
            await part.stop()

    def settings(self, contestant: StateContestant) -> dict[str, str]:
        """The app settings for a contestant's storage."""
        if contestant.storage == IN_MEMORY:
            return {SETTING: self._in_memory.connection_string}
        if contestant.storage == IN_PROCESS:
            return {}
        name = self._names[contestant]
        if contestant.storage == AZURITE_BY_TOKEN:
            return {
                f"{SETTING}__blobServiceUri": self._secure.blob_url(name),
                f"{SETTING}__queueServiceUri": self._secure.queue_url(name),
                f"{SETTING}__credential": "managedidentity",
                f"{SETTING}__clientId": self._cloud.registration.app_id,
            }
        text = self._azurite.connection_string(name)
        proxy = self.proxies[contestant].ports
        ports = self._azurite.ports
        for own, upstream in ((proxy[BLOB], ports.blob), (proxy[QUEUE], ports.queue)):
            text = text.replace(f":{upstream}/", f":{own}/")
        return {SETTING: text}
