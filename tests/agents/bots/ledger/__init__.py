"""A ledger: an AgentApplication that counts in each of its states, and whose turns go wrong."""

import asyncio

from microsoft_agents.hosting.aiohttp import CloudAdapter
from microsoft_agents.hosting.core import (
    AgentApplication,
    Authorization,
    MemoryStorage,
    StoreItem,
    TurnContext,
    TurnState,
)
from microsoft_agents.hosting.core.app import ApplicationOptions
from microsoft_agents.hosting.core.app.oauth import AuthHandler

STORAGE = MemoryStorage()
HERE, MINE = "ConversationState.entries", "UserState.entries"
RUNS = []
HANDLED = []
LATE = {}
HAS_READ, GOES_ON = asyncio.Event(), asyncio.Event()


class Page(StoreItem):
    def __init__(self, lines):
        self.lines = lines

    def store_item_to_json(self):
        return dict(self.lines)

    @staticmethod
    def from_json_to_store_item(json_data):
        return Page(json_data)


class Late:
    """Calls what a test has for a message, before what the message's turn writes is stored."""

    async def on_turn(self, context, logic):
        await logic(context)
        if late := LATE.pop(context.activity.text, None):
            await late(context)


def create_bot(services):
    letters = AuthHandler(
        name="LETTERS", abs_oauth_connection_name="letters", auth_type="userauthorization"
    )
    connections = services.agent_options["connection_manager"]
    authorization = Authorization(STORAGE, connections, {"LETTERS": letters})
    adapter = CloudAdapter(connection_manager=connections)
    adapter.use(Late())
    app = AgentApplication[TurnState](
        options=ApplicationOptions(storage=STORAGE, adapter=adapter, bot_app_id="ledger"),
        authorization=authorization,
    )
    services.typing_indicator = False
    for each in (RUNS, HANDLED, LATE):
        each.clear()
    for each in (HAS_READ, GOES_ON):
        each.clear()

    def entered(state):
        for name in (HERE, MINE):
            state.set_value(name, state.get_value(name, lambda: 0) + 1)
        return f"{state.get_value(HERE)} here, {state.get_value(MINE)} mine"

    @app.message("count")
    async def count(context: TurnContext, state: TurnState) -> None:
        text = entered(state)
        await asyncio.sleep(0)
        await context.send_activity(text)

    @app.message("fail")
    async def fail(context: TurnContext, state: TurnState) -> None:
        entered(state)
        RUNS.append(context.activity.id)
        raise LookupError("as asked")

    @app.message("swallow")
    async def swallow(context: TurnContext, state: TurnState) -> None:
        entered(state)
        try:
            await STORAGE.read(["page"], target_cls=Page)
        except Exception:
            await asyncio.sleep(0)
        await context.send_activity("written")

    @app.message("letters", auth_handlers=["LETTERS"])
    async def read_letters(context: TurnContext, state: TurnState) -> None:
        await context.send_activity(entered(state))

    @app.activity("event")
    async def write(context: TurnContext, state: TurnState) -> None:
        page = (await STORAGE.read(["page"], target_cls=Page)).get("page") or Page({})
        RUNS.append(context.activity.id)
        if len(RUNS) == 1:
            HAS_READ.set()
            await GOES_ON.wait()
        name, value = context.activity.name, context.activity.value
        page.lines[name] = page.lines.get(name, 0) + value
        await STORAGE.write({"page": page})
        await context.send_activity(f"{name} has {page.lines[name]}")

    @app.error
    async def on_error(context: TurnContext, error: Exception) -> None:
        HANDLED.append(context.activity.id)
        await context.send_activity("The ledger is closed.")

    return app
