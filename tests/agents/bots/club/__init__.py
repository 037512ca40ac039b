"""A chess club: an AgentApplication that makes its parts when it is imported, as samples do."""

from os import environ

from microsoft_agents.activity import Activity, load_configuration_from_env
from microsoft_agents.authentication.msal import MsalConnectionManager
from microsoft_agents.hosting.aiohttp import CloudAdapter
from microsoft_agents.hosting.core import (
    AgentApplication,
    Authorization,
    ConversationState,
    MemoryStorage,
    TurnContext,
    TurnState,
)
from microsoft_agents.hosting.core.app import ApplicationOptions, ProactiveOptions
from microsoft_agents.hosting.core.app.oauth import AuthHandler
from microsoft_agents.hosting.core.connector import ConnectorClientBase

CONFIGURATION = load_configuration_from_env(environ)
STORAGE = MemoryStorage()
CONNECTIONS = MsalConnectionManager(**CONFIGURATION)
ADAPTER = CloudAdapter(connection_manager=CONNECTIONS)
LETTERS = AuthHandler(
    name="LETTERS",
    abs_oauth_connection_name="letters",
    auth_type="userauthorization",
)
AUTHORIZATION = Authorization(MemoryStorage(), CONNECTIONS, {"LETTERS": LETTERS})
CLUB = AgentApplication[TurnState](
    options=ApplicationOptions(
        storage=STORAGE,
        adapter=ADAPTER,
        proactive=ProactiveOptions(),
        long_running_messages=True,
        bot_app_id="club",
    ),
    authorization=AUTHORIZATION,
)
ROOM = ConversationState(STORAGE)
MOVES = ROOM.create_property("moves")


def create_bot(services):
    return CLUB


@CLUB.conversation_update("membersAdded")
async def welcome(context: TurnContext, state: TurnState) -> None:
    await context.send_activity("Welcome to the club")


@CLUB.message("wins")
async def count(context: TurnContext, state: TurnState) -> None:
    for scope in ("ConversationState", "UserState"):
        state.set_value(f"{scope}.wins", state.get_value(f"{scope}.wins", lambda: 0) + 1)
    here, all_in_all = (
        state.get_value(f"{scope}.wins") for scope in ("ConversationState", "UserState")
    )
    await context.send_activity(f"{here} here, {all_in_all} in all")


@CLUB.message("lose")
async def lose(context: TurnContext, state: TurnState) -> None:
    state.set_value("ConversationState.wins", 100)
    raise LookupError(f"no piece is called {context.activity.text}")


@CLUB.message("swallow")
async def swallow(context: TurnContext, state: TurnState) -> None:
    try:
        await context.send_activity("before")
        await STORAGE.read(["board"])
    except Exception:
        await context.send_activity("something is wrong")


@CLUB.message("explain")
async def explain(context: TurnContext, state: TurnState) -> None:
    answer = context.streaming_response
    answer.set_generated_by_ai_label(True)
    answer.set_feedback_loop(True)
    answer.queue_informative_update("looking it up")
    for part in ("A knight ", "jumps [do", "c1", "]."):
        answer.queue_text_chunk(part)
    answer.set_citations([Source])
    await answer.end_stream()


class Source:
    """What their Citation has."""

    title, content, url = "Rules", "The knight moves to any square ...", "https://rules.example"


@CLUB.message("members")
async def members(context: TurnContext, state: TurnState) -> None:
    connector = context.services.get(ConnectorClientBase)
    found = await connector.conversations.get_conversation_members(context.activity.conversation.id)
    await context.send_activity(", ".join(each.name for each in found))


@CLUB.message("letters", auth_handlers=["LETTERS"])
async def letters(context: TurnContext, state: TurnState) -> None:
    token = await CLUB.auth.get_token(context, "LETTERS")
    state.set_value("ConversationState.wins", state.get_value("ConversationState.wins") or 7)
    await context.send_activity(f"You have mail: {bool(token.token)}")


@CLUB.message("remember")
async def remember(context: TurnContext, state: TurnState) -> None:
    await CLUB.proactive.store_conversation(context)
    await context.send_activity(context.activity.conversation.id)


@CLUB.activity("event")
async def remind(context: TurnContext, state: TurnState) -> None:
    async def note(there: TurnContext, its_state: TurnState) -> None:
        await there.send_activity("The match begins")

    await CLUB.proactive.continue_conversation(ADAPTER, context.activity.value, note)


@CLUB.message("badge")
async def badge(context: TurnContext, state: TurnState) -> None:
    provider = CONNECTIONS.get_default_connection()
    token = await provider.get_access_token(
        "https://graph.microsoft.com", ["https://graph.microsoft.com/.default"]
    )
    credential = provider.get_token_credential()
    again = await credential.get_token("https://graph.microsoft.com/.default")
    await context.send_activity(f"{token == again.token and bool(token)}")


@CLUB.message("agentic")
async def agentic(context: TurnContext, state: TurnState) -> None:
    await CONNECTIONS.get_default_connection().get_agentic_instance_token("tenant", "instance")


@CLUB.activity("invoke")
async def invoke(context: TurnContext, state: TurnState) -> None:
    value = {"status": 200, "body": {"moved": context.activity.value["to"]}}
    await context.send_activity(Activity(type="invokeResponse", value=value))


@CLUB.activity("message")
async def on_message(context: TurnContext, state: TurnState) -> None:
    await context.send_activity(f"You played {context.activity.text}")
