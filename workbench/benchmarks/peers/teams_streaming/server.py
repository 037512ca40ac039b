"""The streaming bot of Microsoft's Teams SDK for Python, put together as its quickstart does."""

import os
from collections.abc import Mapping
from typing import Any

import uvicorn
import uvloop
from microsoft_teams.api import MessageActivity
from microsoft_teams.api.auth.cloud_environment import PUBLIC, with_overrides
from microsoft_teams.apps import ActivityContext, App, FastAPIAdapter

from benchmarks.streams.model import answer


class LocalServer(uvicorn.Server):  # type: ignore[misc]  # the SDK is not installed beside mypy
    """The SDK's server, which says when it listens."""

    async def startup(self, sockets: Any = None) -> None:
        """Listen."""
        await super().startup(sockets)
        print("ready", flush=True)  # the parent process waits for this line


def streaming_app(environ: Mapping[str, str]) -> App:
    """An app that streams an answer of as many seconds as the message says."""
    port = int(environ["PORT"])
    app = App(
        client_id=environ["MicrosoftAppId"],
        tenant_id=environ["MicrosoftAppTenantId"],
        cloud=with_overrides(
            PUBLIC,
            login_endpoint=environ["AZURE_AUTHORITY_HOST"],
            openid_metadata_url=environ["ToBotFromChannelOpenIdMetadataUrl"],
            token_service_url=environ["OAuthUrl"],
        ),
        http_server_adapter=FastAPIAdapter(
            server_factory=lambda api: LocalServer(
                uvicorn.Config(api, "127.0.0.1", port, log_level="warning")
            )
        ),
    )

    async def on_message(context: ActivityContext[MessageActivity]) -> None:
        async for chunk in answer(float(context.activity.text)):
            context.stream.emit(chunk)

    app.on_message(on_message)
    return app


def main(environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM."""
    uvloop.run(streaming_app(environ).start(int(environ["PORT"])))


if __name__ == "__main__":
    main(os.environ)
