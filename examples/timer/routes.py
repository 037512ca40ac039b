"""The bot's own trigger: a timer."""

from collections.abc import Awaitable, Callable

import azure.functions as func

from cloud_adapter.bot.services import BotServices

EVERY_MORNING = "0 0 9 * * *"
"""NCRONTAB: second, minute, hour, day, month, weekday; in UTC."""


def create_routes(ready: Callable[[], Awaitable[BotServices]]) -> func.Blueprint:
    """The blueprint; `ready` returns the services that `create_bot` gets."""
    routes = func.Blueprint()

    @routes.timer_trigger("timer", EVERY_MORNING)
    async def remind(timer: func.TimerRequest) -> None:
        services = await ready()
        await services.notify("all", "Good morning! Please log your hours.")

    return routes
