"""Recognizes a bot of the Microsoft 365 Agents SDK, and prepares the environment for its modules.

Importing this module imports nothing of that SDK, so that other bots do not pay for it.

Modules of such bots build their connection manager when they are imported, and fail if the
environment does not name the connection's app. The base has its own settings for that.
"""

import importlib.util
import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

log = logging.getLogger(__name__)

SDK = "microsoft_agents"
"""The namespace package of the SDK."""

CONNECTION = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__"

_NOT_OURS = re.compile(r"CONNECTIONS__.*__CLIENTSECRET|LOGGING__LOGLEVEL__.*", re.IGNORECASE)
"""The settings that are taken out: a secret, which nothing needs; and the log levels for
which the SDK removes the handlers of the host's loggers."""


def agent_of(created: object) -> Any:
    """The bot of the Agents SDK in what `create_bot` has returned; None if it is another bot.

    Args:
        created: an AgentApplication, an ActivityHandler of that SDK, or an object that has one as
            its `agent_app`, as Foundry's host does.
    """
    for bot in (created, getattr(created, "agent_app", None)):
        if any(kind.__module__.startswith(f"{SDK}.") for kind in type(bot).__mro__):
            return bot
    return None


def prepare_environment(environ: MutableMapping[str, str]) -> None:
    """Name the bot's app as the connection, and take the secrets out, if the SDK is installed.

    Call this function before the bot is imported.

    Args:
        environ: the environment variables, which the SDK reads itself.
    """
    if importlib.util.find_spec(SDK) is None:
        return
    if taken := sorted(name for name in environ if _NOT_OURS.fullmatch(name)):
        for name in taken:
            del environ[name]
        log.warning(
            "%s: taken out of the bot's environment. The base signs in without a secret, so delete"
            " it here and at the app registration; log levels are set in host.json",
            ", ".join(taken),
        )
    own = {
        "CLIENTID": environ.get("MicrosoftAppId", ""),
        "TENANTID": environ.get("MicrosoftAppTenantId", ""),
        # Of the SDK's types, this one needs no other setting. Its classes for it are not used.
        "AUTHTYPE": "UserManagedIdentity",
    }
    for name, value in own.items():
        environ[f"{CONNECTION}{name}"] = value


def agent_options(settings: Mapping[str, str]) -> dict[str, Any]:
    """The arguments that an AgentApplication needs; see `BotServices.agent_options`.

    Args:
        settings: the environment variables, prepared.
    """
    from microsoft_agents.activity import load_configuration_from_env
    from microsoft_agents.hosting.core import MemoryStorage
    from microsoft_agents.hosting.core.authorization.connection_manager import ConnectionManager

    configuration = load_configuration_from_env(settings)
    return {
        # Both reach the base's once `create_bot` has returned (cloud_adapter/agents/bot.py).
        "storage": MemoryStorage(),
        "connection_manager": ConnectionManager(lambda connection: connection, **configuration),
        "AGENTAPPLICATION": configuration["AGENTAPPLICATION"],
    }
