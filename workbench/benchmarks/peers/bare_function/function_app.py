"""BareBot behind an HTTP trigger."""

import os

import azure.functions as func
from bare_bot import (  # type: ignore[import-not-found]  # in this folder, as in Azure
    BareBot,
    UnauthenticatedError,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
bot = BareBot(os.environ)


@app.route("messages", methods=["POST"])
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """The messaging endpoint."""
    try:
        await bot.turn(req.headers.get("authorization", ""), req.get_body())
    except UnauthenticatedError:
        return func.HttpResponse(status_code=401)
    return func.HttpResponse()
