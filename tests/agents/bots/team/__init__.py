"""A chess team: an AgentApplication with the SDK's extension for Teams."""

from os import environ

from microsoft_agents.activity import load_configuration_from_env
from microsoft_agents.authentication.msal import MsalConnectionManager
from microsoft_agents.hosting.aiohttp import CloudAdapter
from microsoft_agents.hosting.core import AgentApplication, MemoryStorage, TurnState
from microsoft_agents.hosting.msteams import TeamsAgentExtension
from microsoft_agents.hosting.msteams.teams_turn_context import TeamsTurnContext

CONFIGURATION = load_configuration_from_env(environ)
CONNECTIONS = MsalConnectionManager(**CONFIGURATION)
TEAM = AgentApplication[TurnState](
    storage=MemoryStorage(),
    adapter=CloudAdapter(connection_manager=CONNECTIONS),
    connection_manager=CONNECTIONS,
    **CONFIGURATION,
)
TEAMS = TeamsAgentExtension[TurnState](TEAM)
CLIENTS = []


def create_bot(services):
    return TEAM


@TEAMS.message("captain")
async def captain(context: TeamsTurnContext, state: TurnState) -> None:
    CLIENTS.append(context.api_client.http.http)
    conversations = context.api_client.conversations
    here = context.activity.conversation.id
    member = await conversations.get_member_by_id(here, context.activity.from_property.id)
    page = await conversations.get_paged_members(here, 1)
    await context.send_activity(f"{member.name}, of {len(page.members)} on this page")
