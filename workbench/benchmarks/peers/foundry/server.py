"""Foundry's Activity host for Python, with an application of the Agents SDK."""

import os
from collections.abc import MutableMapping
from typing import Any

import uvloop
from azure.ai.agentserver.activity import ActivityAgentServerHost, get_hosted_agent_env
from hypercorn.logging import Logger
from microsoft_agents.activity import load_configuration_from_env
from microsoft_agents.authentication.msal import MsalConnectionManager
from microsoft_agents.hosting.core import HttpAdapterBase
from starlette.routing import Route

from benchmarks.agents_bot import agent
from benchmarks.peers.agents_storage import storage

PLATFORM_SETTINGS = {
    "MicrosoftAppId": "FOUNDRY_AGENT_INSTANCE_CLIENT_ID",
    "MicrosoftAppTenantId": "FOUNDRY_AGENT_TENANT_ID",
}
"""This project's settings, and the names under which Foundry hands the same to a container."""


class ReadyLogger(Logger):  # type: ignore[misc]  # the host is not installed beside mypy
    """The server's logger, which says when it listens."""

    async def info(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Log."""
        if message.startswith("Running on"):
            print("ready", flush=True)  # the parent process waits for this line
        await super().info(message, *args, **kwargs)


class LocalHost(ActivityAgentServerHost):  # type: ignore[misc]  # as above
    """The host, at the path of the other contestants."""

    def _build_activity_routes(self) -> list[Route]:
        return [Route("/api/messages", self._create_activity_endpoint, methods=["POST"])]

    def _build_hypercorn_config(self, host: str, port: int) -> Any:
        config = super()._build_hypercorn_config(host, port)
        config.logger_class = ReadyLogger
        return config


def main(environ: MutableMapping[str, str]) -> None:
    """Serve until SIGTERM, in the process's environment."""
    environ["FOUNDRY_HOSTING_ENVIRONMENT"] = "benchmark"
    for ours, theirs in PLATFORM_SETTINGS.items():
        environ[theirs] = environ[ours]
    configuration = load_configuration_from_env(get_hosted_agent_env())
    connections = MsalConnectionManager(**configuration)
    adapter = HttpAdapterBase(
        connection_manager=connections,
        channel_service_client_factory_options={"token_service_endpoint": environ["OAuthUrl"]},
    )
    application = agent(
        storage=storage(environ),
        adapter=adapter,
        connection_manager=connections,
        **configuration,
    )
    # Without exporters the host would print every span, and report its own use to Microsoft.
    host = LocalHost(agent_app=application, configure_observability=None, access_log=None)
    uvloop.run(host.run_async("127.0.0.1", int(environ["PORT"])))


if __name__ == "__main__":
    main(os.environ)
