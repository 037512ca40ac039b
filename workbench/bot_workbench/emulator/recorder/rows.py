"""The rows: what the recorder watches, part by part of a turn."""

from bot_workbench.emulator.recorder import threads
from bot_workbench.emulator.recorder.interception import Interception
from bot_workbench.emulator.recorder.observers import (
    callers,
    calls,
    invocations,
    proactive,
    queue_steps,
    spans,
    stored_blobs,
    web_calls,
)

ADAPTER, AUTHENTICATION = "cloud_adapter.adapter", "cloud_adapter.authentication"
SESSION, SKILLS = "cloud_adapter.connector.client", "cloud_adapter.connector.skills"
ACCOUNT, QUEUE = "cloud_adapter.storage.account", "cloud_adapter.storage.queue"
BLOBS = "cloud_adapter.storage.blobs"
QUEUED, SET_ASIDE = "cloud_adapter.queued.queued_turns", "cloud_adapter.queued.set_aside"
STATE, LOCK = "cloud_adapter.state.turn", "cloud_adapter.state.lock"
POOL, CONNECTION = "http_client.pool", "http_client.pool"
MIDDLEWARE = "botbuilder.core.middleware_set"

ALWAYS = (
    Interception("function_app", "refusal", invocations.refusal),
    Interception(ADAPTER, "CloudAdapter.handle_error", invocations.failure),
    Interception(ADAPTER, "CloudAdapter.log_error", invocations.failure),
    Interception(ADAPTER, "CloudAdapter.send_proactively", proactive.sending),
    Interception(ADAPTER, "CloudAdapter.run_pipeline", proactive.pipeline),
    Interception(ADAPTER, "CloudAdapter._run_stored", queue_steps.stored_turn),
    Interception(QUEUED, "QueuedTurns.enqueue", queue_steps.enqueuing),
)
"""Also while no inspector is open: the terminal shows what failed, and turns without a request.
A turn that succeeds while the channel waits passes through none of these."""

CHECKS = (
    Interception(AUTHENTICATION, "BotAuthentication.authenticate", callers.authentication),
    Interception(AUTHENTICATION, "BotAuthentication.authorize", callers.authorization),
    Interception(
        AUTHENTICATION,
        "BotAuthentication.authenticate_channel_request",
        callers.skill_authentication,
    ),
)

CALLS = (
    Interception(SESSION, "ConnectorSession.call", calls.connector_call),
    Interception(SKILLS, "SkillClient.post_activity", calls.skill_call),
    Interception(ACCOUNT, "StorageAccount.call", calls.storage_call),
    Interception(POOL, "HttpPool.request", calls.request),
    Interception(CONNECTION, "HttpConnection.open", calls.opening),
    Interception("aiohttp.client", "ClientSession._request", web_calls.aiohttp_request),
    Interception("requests.sessions", "Session.send", web_calls.requests_request),
    *(
        Interception(library, f"{client}.send", web_calls.httpx_request)
        for library in ("httpx", "httpx2")
        for client in ("Client", "AsyncClient")
    ),
)

STORED = (
    Interception(BLOBS, "BlobContainer.read", stored_blobs.reading),
    Interception(BLOBS, "BlobContainer.write", stored_blobs.writing),
    Interception(BLOBS, "BlobContainer.delete", stored_blobs.deletion),
    Interception(BLOBS, "MemoryContainer.read", stored_blobs.reading),
    Interception(BLOBS, "MemoryContainer.write", stored_blobs.writing),
    Interception(BLOBS, "MemoryContainer.delete", stored_blobs.deletion),
    Interception(STATE, "_TurnScopedState.load", stored_blobs.loading),
)

QUEUE_STEPS = (
    Interception(QUEUE, "MessageQueue.put", queue_steps.putting),
    Interception(QUEUED, "QueuedTurns.handle_message", queue_steps.message_handling),
    Interception("cloud_adapter.queued.drain", "Attempts.run", queue_steps.attempting),
    Interception(SET_ASIDE, "SetAsideActivities.count", queue_steps.counting),
    Interception(SET_ASIDE, "SetAsideActivities.dead_letter", queue_steps.dead_lettering),
)

SPANS = (
    Interception("composition", "Composition.ready", spans.wait("warm-up")),
    Interception(AUTHENTICATION, "BotAuthentication.authenticate", spans.span("authentication")),
    Interception(ADAPTER, "read_activity", spans.span("read activity")),
    Interception(AUTHENTICATION, "BotAuthentication.authorize", spans.span("authorization")),
    Interception(QUEUED, "QueuedTurns.enqueue", spans.span("enqueue")),
    Interception(AUTHENTICATION, "BotConnectorFactory.create", spans.span("sign in")),
    Interception(MIDDLEWARE, "MiddlewareSet.receive_activity_internal", spans.middleware),
    Interception(LOCK, "ConversationLocks.lock", spans.wait("wait for lock"), on_entry=True),
    Interception(STATE, "_TurnScopedState.load", spans.wait("load state")),
    Interception(STATE, "_TurnScopedState.save_at_end", spans.wait("save state")),
)

THREADS = (
    Interception("concurrent.futures.thread", "ThreadPoolExecutor.submit", threads.submission),
    Interception("threading", "Thread.start", threads.start),
)

DETAILS = (*CHECKS, *CALLS, *STORED, *QUEUE_STEPS, *SPANS, *THREADS)
"""While turns are recorded in detail. Of two rows for one function, the later one is outside."""
