"""BotBuilder Python in the host it ships with, put together as its samples do."""

from aiohttp import web
from botbuilder.core.integration import aiohttp_error_middleware

from benchmarks.peers.botbuilder.echo import ADAPTER, BOT
from benchmarks.peers.own_host import serve


async def messages(request: web.Request) -> web.Response:
    """The messaging endpoint."""
    answer: web.Response = await ADAPTER.process(request, BOT)
    return answer


app = web.Application(middlewares=[aiohttp_error_middleware])
app.router.add_post("/api/messages", messages)

if __name__ == "__main__":
    serve(app)
