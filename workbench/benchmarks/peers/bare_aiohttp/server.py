"""BareBot behind an aiohttp server."""

import os

from aiohttp import web

from benchmarks.peers.bare_function.bare_bot import BareBot, UnauthenticatedError
from benchmarks.peers.own_host import serve

bot = BareBot(os.environ)


async def messages(request: web.Request) -> web.Response:
    """The messaging endpoint."""
    try:
        await bot.turn(request.headers.get("authorization", ""), await request.read())
    except UnauthenticatedError:
        return web.Response(status=401)
    return web.Response()


async def close(_: web.Application) -> None:
    """Close the bot's connections."""
    await bot.close()


app = web.Application()
app.on_cleanup.append(close)
app.router.add_post("/api/messages", messages)

if __name__ == "__main__":
    serve(app)
