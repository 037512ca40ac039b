"""The composition root: the app's parts, the order in which they are created, and the warm-up.

Modules are imported inside the functions that use them, so that a cold start can import them step
by step while its first requests are under way: see `Composition.start`.
"""

import asyncio
import gc
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auth.errors import CompositionFailed, SettingsError, Unavailable
from auth.settings import Settings
from cloud_adapter.home_loop import bind, on_home_loop
from http_client.observer import attach, detach, moment

if TYPE_CHECKING:
    from botbuilder.core import Bot

    from auth.inbound.bearer_token import SigningKeys
    from auth.outbound.credentials import BotTokens
    from auth.outbound.token_provider import TokenProvider
    from cloud_adapter.adapter import CloudAdapter
    from cloud_adapter.bot.services import BotServices
    from cloud_adapter.deadlines import HostTimeout
    from cloud_adapter.proactive.notifications import Notifications
    from cloud_adapter.proactive.references import ConversationReferences
    from cloud_adapter.queued.queued_turns import QueuedTurns
    from cloud_adapter.skills import SkillReplies
    from cloud_adapter.state.lock import ConversationLocks
    from cloud_adapter.state.turn import AutoSaveStateMiddleware
    from cloud_adapter.storage.account import StorageAccount
    from cloud_adapter.storage.blobs import Container
    from cloud_adapter.telemetry.export_settings import ExportSettings
    from cloud_adapter.telemetry.observer import Telemetry
    from cloud_adapter.turn_context import ShowTypingMiddleware
    from http_client.pool import HttpPool

VERSION = "0.1.0"
"""The version of the base, and of the workbench that fits it (https://semver.org)."""

COLLECTION_THRESHOLD = 50_000
"""The number of allocations between two garbage collections, instead of Python's 2,000. A dozen
concurrent turns have tens of thousands of objects in use, and leave no reference cycles."""

PACKAGE_HASH = "package.sha256"
"""The file beside this module that names the package: the hash of its contents, one line."""

BUILT_IN_AZURE = "built in Azure"
"""In place of the hash, if there is no such file: Azure has built what was published."""

SDK_LOG_LEVELS = {
    "azure.core": logging.WARNING,
    "azure.identity": logging.ERROR,
    "azure.keyvault": logging.ERROR,
    "httpcore": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "microsoft_agents": logging.WARNING,
    "msal.token_cache": logging.INFO,
    "openai": logging.WARNING,
}
"""The log level of each SDK's loggers. At lower levels, the SDKs log each request with its headers,
and each unexpected response with a traceback; those that call language models log what users wrote,
and URLs; the Agents SDK logs the ids of users, and the codes with which they sign in. These loggers
exist before a bot imports its SDK."""

CreateBot = Callable[["BotServices"], "Bot | Awaitable[Bot]"]
"""Creates the bot. It is called in a thread. If what it returns is awaitable (it is a coroutine
function, for example), that is awaited on the event loop on which turns run."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """The app's long-lived objects, one of each in a process.

    Attributes:
        account: the bot's storage account; None if the settings name none. If so, turns cannot be
            queued, and state and references are kept in memory.
        package: the hash of the package that runs (SHA-256, lower-case hex), or BUILT_IN_AZURE.
        bot_keys: the signing keys of other bots' tokens; None if no other bot may call this one.
            If so, `skill_replies` is None too.
        telemetry: watches the others; None: telemetry is off.
    """

    settings: Settings
    package: str
    pool: "HttpPool"
    keys: "SigningKeys"
    bot_keys: "SigningKeys | None"
    tokens: "TokenProvider"
    account: "StorageAccount | None"
    locks: "ConversationLocks"
    adapter: "CloudAdapter"
    services: "BotServices"
    bot: "Bot"
    skill_replies: "SkillReplies | None"
    telemetry: "Telemetry | None"

    async def close(self) -> None:
        """Release the leases that are kept for further turns, and close the HTTP client.

        Telemetry ends with it.
        """
        bind(None)
        await self.locks.close()
        await self.pool.close()
        if self.telemetry is not None:
            detach(self.telemetry)


class Composition:
    """Creates the parts, in attempts: see `ready`. Only the warm-up sends requests: see `start`.

    Args:
        read_settings: returns the settings, or raises SettingsError.
        environ: every environment variable, for the bot's own settings and for telemetry, which
            may add to it.
        create_bot: creates the bot from its services; each attempt calls it once.

    Attributes:
        parts: the parts; None until an attempt has succeeded.
    """

    def __init__(
        self,
        read_settings: Callable[[], Settings],
        environ: MutableMapping[str, str],
        create_bot: CreateBot,
    ) -> None:
        self._read_settings = read_settings
        self._environ = environ
        self._create_bot = create_bot
        # Not when the parts are created, which may be much later: a restart shows in this time, and
        # the process has the settings of this moment.
        self._created_on = time.time()
        self.parts: Parts | None = None
        self._attempt: asyncio.Task[Parts] | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings. Logs their warnings.

        Raises:
            SettingsError: the settings are wrong; the error lists every problem.
        """
        settings = self._read_settings()
        for warning in settings.warnings:
            log.warning("%s", warning)
        return settings

    @cached_property
    def exports(self) -> "ExportSettings | None":
        """Where telemetry goes; None: telemetry is off."""
        from cloud_adapter.telemetry.export_settings import ExportSettings

        return ExportSettings.of(self._environ)

    @cached_property
    def telemetry(self) -> "Telemetry | None":
        """The observer that makes spans and metrics, which watches from now on.

        None: telemetry is off. This step imports OpenTelemetry's API.
        """
        if self.exports is None:
            return None
        from cloud_adapter.telemetry.observer import Telemetry

        telemetry = Telemetry(self.settings.app_id, self.settings.channel_audience)
        attach(telemetry)
        return telemetry

    @cached_property
    def pool(self) -> "HttpPool":
        """The HTTP client."""
        from http_client.pool import HttpPool

        return HttpPool()

    @cached_property
    def keys(self) -> "SigningKeys":
        """The channel's signing keys. This step imports httptools and cryptography."""
        from auth.inbound.bearer_token import SigningKeys

        return SigningKeys(self.settings.channel_metadata_url, self.pool.get_document)

    @cached_property
    def bot_keys(self) -> "SigningKeys | None":
        """The signing keys of other bots' tokens; None if no other bot may call this one."""
        if not self.settings.bot_callers.app_ids:
            return None
        from auth.inbound.bearer_token import SigningKeys

        url = self.settings.bot_metadata_url
        return SigningKeys(url, self.pool.get_document, owner="Entra's")

    @cached_property
    def tokens(self) -> "BotTokens":
        """The bot's tokens. This step imports what the credential needs: Azure SDKs or MSAL."""
        from auth.outbound.credentials import bot_tokens

        return bot_tokens(self.settings, self.pool)

    @cached_property
    def account(self) -> "StorageAccount | None":
        """The bot's storage account; None if the settings name none."""
        if (source := self.settings.storage) is None:
            return None
        from auth.outbound.credentials import storage_tokens
        from cloud_adapter.storage.account import StorageAccount

        tokens = storage_tokens(source, self.pool)
        return StorageAccount(source, self.pool, tokens)

    @cached_property
    def host_timeout(self) -> "HostTimeout":
        """The host's time limit of a function."""
        from cloud_adapter.deadlines import HostTimeout

        return HostTimeout.read(Path(__file__).parent, self._environ)

    def _adapter(self, locks: "ConversationLocks") -> "CloudAdapter":
        from auth.inbound.bearer_token import BearerTokens
        from auth.inbound.caller import CallerCheck
        from cloud_adapter.adapter import CloudAdapter
        from cloud_adapter.authentication import BotAuthentication
        from cloud_adapter.connector.client import ConnectorSession

        settings = self.settings
        keys = {settings.channel_issuer: self.keys}
        if self.bot_keys is not None:
            keys |= dict.fromkeys(settings.bot_callers.versions, self.bot_keys)
        caller_check = CallerCheck(
            BearerTokens(keys),
            settings.app_id,
            settings.service_urls,
            settings.bot_callers,
            settings.allowed_tenants,
        )
        session = ConnectorSession(self.pool)
        return CloudAdapter(
            BotAuthentication(
                settings, caller_check, self.tokens.channel, session, self.pool, self._created_on
            ),
            self._queued_turns(locks),
            self.host_timeout,
            redact=not settings.development,
        )

    def _queued_turns(self, locks: "ConversationLocks") -> "QueuedTurns | None":
        if self.account is None or not self.settings.queued:
            return None
        from cloud_adapter.queued import queued_turns, set_aside
        from cloud_adapter.storage.blobs import BlobContainer
        from cloud_adapter.storage.queue import MessageQueue

        return queued_turns.QueuedTurns(
            BlobContainer(self.account, set_aside.CONTAINER),
            MessageQueue(self.account, queued_turns.QUEUE),
            MessageQueue(self.account, queued_turns.POISON_QUEUE),
            locks,
            redact=not self.settings.development,
            max_drain_seconds=self.host_timeout.drain_seconds,
        )

    def _services(self, adapter: "CloudAdapter", locks: "ConversationLocks") -> "BotServices":
        from cloud_adapter.bot.services import BotServices
        from cloud_adapter.proactive import references
        from cloud_adapter.state import blob_storage, transcripts
        from cloud_adapter.state.turn import ConversationState, UserState

        storage = blob_storage.BlobStorage(locks)
        known = references.ConversationReferences(self._container(references.CONTAINER))
        authentication = adapter.bot_framework_authentication
        return BotServices(
            settings=self._environ,
            app_id=self.settings.app_id,
            adapter=adapter,
            conversation_state=ConversationState(storage),
            user_state=UserState(storage),
            storage=storage,
            credentials=authentication.channel_credentials,
            skill_client=authentication.create_bot_framework_client(storage),
            references=known,
            transcripts=transcripts.BlobTranscriptStore(self._container(transcripts.CONTAINER)),
            notifications=self._notifications(adapter, known),
            _tokens=self.tokens.services,
        )

    def _notifications(
        self, adapter: "CloudAdapter", references: "ConversationReferences"
    ) -> "Notifications | None":
        if self.account is None:
            return None
        from cloud_adapter.proactive import notifications, run
        from cloud_adapter.state.lock import ConversationLocks
        from cloud_adapter.storage.blobs import BlobContainer
        from cloud_adapter.storage.queue import MessageQueue

        reports = BlobContainer(self.account, run.CONTAINER)
        return notifications.Notifications(
            adapter,
            references,
            reports,
            MessageQueue(self.account, notifications.QUEUE),
            MessageQueue(self.account, notifications.POISON_QUEUE),
            ConversationLocks(reports),
            max_run_seconds=min(
                notifications.MAX_RUN_SECONDS,
                self.host_timeout.turn_seconds or notifications.MAX_RUN_SECONDS,
            ),
        )

    def _base_middleware(
        self, services: "BotServices", locks: "ConversationLocks"
    ) -> "tuple[ShowTypingMiddleware, AutoSaveStateMiddleware]":
        """Add the base's middleware, before the bot adds its own: it runs outside that."""
        from cloud_adapter.proactive.references import ConversationReferenceMiddleware
        from cloud_adapter.state.turn import AutoSaveStateMiddleware
        from cloud_adapter.turn_context import ShowTypingMiddleware

        typing_indicator = ShowTypingMiddleware()
        state = AutoSaveStateMiddleware(locks, services.conversation_state, services.user_state)
        # References are outside the typing indicator, which must stop once the bot has replied:
        # storing a reference may take longer.
        services.use(ConversationReferenceMiddleware(services.references), typing_indicator, state)
        return typing_indicator, state

    def _skill_replies(self, services: "BotServices", bot: "Bot") -> "SkillReplies | None":
        if self.bot_keys is None:
            return None
        from cloud_adapter.skills import SkillReplies

        return SkillReplies(services.adapter, services.skill_conversations, bot)

    def _container(self, name: str) -> "Container":
        """A container of the storage account; without one, a container in this process's memory."""
        from cloud_adapter.storage.blobs import BlobContainer, MemoryContainer

        return MemoryContainer() if self.account is None else BlobContainer(self.account, name)

    def start(self) -> None:
        """Start the warm-up, the first attempt, unless one is under way or has succeeded.

        Raises:
            RuntimeError: no event loop runs.
        """
        if self._attempt is None:
            self._begin(self._warm_up)

    @on_home_loop
    @moment("app.ready")
    async def ready(self) -> Parts:
        """Return the parts, if need be after the attempt that is under way, or a new one.

        Callers at the same moment share an attempt and its failure; the next caller after a failure
        starts a new one. An attempt goes on if its callers are cancelled.

        Raises:
            SettingsError: the settings are wrong; the error lists every problem.
            CompositionFailed: a module cannot be imported, or an object cannot be created.
        """
        attempt = self._attempt or self._begin(self._create)
        if not attempt.done():
            await asyncio.wait([attempt])
        try:
            return self.parts or attempt.result()
        except (SettingsError, Unavailable):
            raise
        except asyncio.CancelledError:  # the bot's code has cancelled the attempt
            from cloud_adapter.errors import BotCancelled

            raise CompositionFailed from BotCancelled()
        except Exception as error:
            raise CompositionFailed from error
        finally:
            del attempt  # it refers to the error, and the error's traceback to this frame

    def _begin(self, create: Callable[[], Coroutine[Any, Any, Parts]]) -> "asyncio.Task[Parts]":
        loop = asyncio.get_running_loop()
        bind(loop)
        self._attempt = attempt = loop.create_task(create())
        attempt.add_done_callback(self._end)
        return attempt

    def _end(self, attempt: "asyncio.Task[Parts]") -> None:
        if self.parts is None:
            self._attempt = None  # the next caller starts another
        if not attempt.cancelled():
            attempt.exception()  # otherwise asyncio logs a failure that no caller waits for

    async def _create(self) -> Parts:
        """Create all parts. This step imports the bot SDK and the bot.

        It runs in threads, except for what `create_bot` leaves to await.
        """
        locks, adapter, services = await asyncio.to_thread(self._create_services)
        typing_indicator, state = await asyncio.to_thread(self._base_middleware, services, locks)
        bot = await self._bot(services)
        typing_indicator.enabled = services.typing_indicator
        state.auto_save = services.auto_save_state
        self.parts = await asyncio.to_thread(self._parts, locks, adapter, services, bot)
        return self.parts

    def _create_services(self) -> "tuple[ConversationLocks, CloudAdapter, BotServices]":
        self.settings  # noqa: B018  # read first: if they are wrong, nothing needs to be imported
        self.telemetry  # noqa: B018  # watches before there is anything to watch
        from cloud_adapter.bot.folder import import_bot_sdk

        import_bot_sdk()
        from cloud_adapter.state import stored_state
        from cloud_adapter.state.lock import ConversationLocks

        locks = ConversationLocks(self._container(stored_state.CONTAINER))
        adapter = self._adapter(locks)
        return locks, adapter, self._services(adapter, locks)

    async def _bot(self, services: "BotServices") -> "Bot":
        """The bot.

        Raises:
            TypeError: there is none.
            Exception: whatever the bot's own code raises.
        """
        from cloud_adapter.deadlines import exits_are_failures

        with exits_are_failures():
            created = await asyncio.to_thread(self._create_bot, services)
            bot = await created if inspect.isawaitable(created) else created
        if bot is None:
            raise TypeError("create_bot(services) returned None: it must return the bot")
        from cloud_adapter.bot.agents_sdk import agent_of

        if (agent := agent_of(bot)) is None:
            return bot
        return await asyncio.to_thread(self._agent_bot, agent, services)

    def _agent_bot(self, agent: object, services: "BotServices") -> "Bot":
        from cloud_adapter.agents.bot import AgentBot

        return AgentBot(agent, services)

    def _parts(
        self,
        locks: "ConversationLocks",
        adapter: "CloudAdapter",
        services: "BotServices",
        bot: "Bot",
    ) -> Parts:
        return Parts(
            settings=self.settings,
            package=package_hash(Path(__file__).parent),
            pool=self.pool,
            keys=self.keys,
            bot_keys=self.bot_keys,
            tokens=self.tokens.channel,
            account=self.account,
            locks=locks,
            adapter=adapter,
            services=services,
            bot=bot,
            skill_replies=self._skill_replies(services, bot),
            telemetry=self.telemetry,
        )

    def _start_export(self, exports: "ExportSettings") -> None:
        from cloud_adapter.telemetry.metrics import bot_metrics
        from cloud_adapter.telemetry.providers import start_export

        start_export(exports, self._environ, bot_metrics(), VERSION)
        bot_metrics().process_started(self._created_on)

    async def _warm_up(self) -> Parts:
        """Run each step in a thread, while the first requests are under way.

        Imports cannot deadlock: until the last step is done, only these steps import the project's
        modules, because all functions await `ready` before they use a part. The Azure SDKs also
        import modules on the event loop, with their first request, but only from packages that an
        earlier step has imported, and that do not use the bot SDK.
        """
        gc.disable()  # imports leave hardly any garbage; collections take a fifth of their time
        try:
            try:
                return await self._create_in_steps()
            finally:
                # Also if the app cannot run: the log lines that say why may have to be exported.
                if self.exports is not None:
                    await asyncio.to_thread(self._start_export, self.exports)
        except SettingsError:
            raise  # `ready` raises it for each caller, and the log lists the problems
        except Exception:  # each caller gets CompositionFailed; only this line has the traceback
            log.exception("The app cannot be put together")
            raise
        finally:
            gc.freeze()  # modules live as long as the process, so collections can skip them
            gc.set_threshold(COLLECTION_THRESHOLD)
            gc.enable()

    async def _create_in_steps(self) -> Parts:
        keys = await asyncio.to_thread(lambda: self.keys)
        authenticated = not self.settings.unauthenticated
        if authenticated:
            keys.prefetch()
            if self.bot_keys is not None:
                self.bot_keys.prefetch()
        await asyncio.to_thread(lambda: self.telemetry)
        tokens = await asyncio.to_thread(lambda: self.tokens)
        if authenticated:
            tokens.channel.prefetch(self.settings.channel_audience)
        if (account := await asyncio.to_thread(lambda: self.account)) is not None:
            account.prefetch()
        return await self._create()


def package_hash(folder: Path) -> str:
    """The hash of the package that was unpacked into a folder; without one, BUILT_IN_AZURE."""
    try:
        return (folder / PACKAGE_HASH).read_text("ascii").strip()
    except FileNotFoundError:
        return BUILT_IN_AZURE


def limit_sdk_logs() -> None:
    """Set the log levels in SDK_LOG_LEVELS."""
    for name, level in SDK_LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level)
