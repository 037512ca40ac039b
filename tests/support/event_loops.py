"""Which event loops the tests run on.

Azure's worker runs the app on uvloop, `func start` on Windows and macOS on asyncio's own loop. What
works on one may fail on the other: for example, `create_connection` takes different arguments.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from emulator.functions_host import ASYNCIO, UVLOOP

TESTS = Path(__file__).parent.parent


def _factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if sys.platform == "win32":
        return {ASYNCIO: asyncio.new_event_loop}
    import uvloop

    return {UVLOOP: uvloop.new_event_loop, ASYNCIO: asyncio.SelectorEventLoop}


FACTORIES = _factories()
"""Functions that create an event loop, by the loop's name."""

usual = next(iter(FACTORIES))
"""The default loop of tests and of the bots that they start; pytest's option `--loop` sets it."""

ON_EACH_LOOP = frozenset(
    {
        "auth/test_certificate_versions.py",
        "auth/test_client_certificate.py",
        "auth/test_credentials.py",
        "auth/test_entra.py",
        "auth/test_exported_certificate.py",
        "auth/test_federated_identity.py",
        "auth/test_http_connection.py",
        "auth/test_http_pool.py",
        "auth/test_key_vault.py",
        "auth/test_managed_identity.py",
        "auth/test_msal_http.py",
        "auth/test_sdk_identity.py",
        "auth/test_signing_keys.py",
        "auth/test_tls_context.py",
        "auth/test_token_cache.py",
        "auth/test_tokens.py",
        "auth/test_vault_signing.py",
        "cloud_adapter/test_cloud_adapter.py",
        "cloud_adapter/test_connector_client.py",
        "cloud_adapter/test_connector_session.py",
        "cloud_adapter/test_skill_client.py",
        "cloud_adapter/test_user_token_client.py",
        "emulator/test_http_front.py",
        "emulator/test_http_upstream.py",
        "test_event_loop.py",
        "test_messages.py",
    }
)
"""The tests of network code, which run on each loop; all others run on the usual one."""


def loops_for(module: Path, only: str | None) -> list[str]:
    """The loops that a test module runs on.

    Args:
        module: the path of its file.
        only: the loop that `--loop` named, if any.
    """
    if only is not None:
        return [only]
    each = module.relative_to(TESTS).as_posix() in ON_EACH_LOOP
    return list(FACTORIES) if each else [usual]
