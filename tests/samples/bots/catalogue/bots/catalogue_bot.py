import urllib.parse

from botbuilder.core import CardFactory, MessageFactory, TurnContext, UserState
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import CardAction, HeroCard, ThumbnailCard
from botbuilder.schema.teams import (
    AppBasedLinkQuery,
    MessagingExtensionAction,
    MessagingExtensionActionResponse,
    MessagingExtensionAttachment,
    MessagingExtensionQuery,
    MessagingExtensionResponse,
    MessagingExtensionResult,
    MessagingExtensionSuggestedAction,
    TaskModuleContinueResponse,
    TaskModuleTaskInfo,
)

from example_books import BOOKS
from poll_card import create_poll_editor, create_poll_preview


class CatalogueBot(TeamsActivityHandler):
    def __init__(self, user_state: UserState, connection_name: str, site_url: str):
        self.user_state = user_state
        self.connection_name = connection_name
        self.site_url = site_url
        self.shelf_property = user_state.create_property("Shelf")

    async def on_turn(self, turn_context: TurnContext):
        await super().on_turn(turn_context)
        await self.user_state.save_changes(turn_context, False)

    async def on_message_activity(self, turn_context: TurnContext):
        value = turn_context.activity.value or {}
        answer = value["Answer"] if "Answer" in value else ""
        await turn_context.send_activity(
            MessageFactory.text(f"{turn_context.activity.from_property.name}: '{answer}'")
        )

    async def on_teams_messaging_extension_configuration_query_settings_url(
        self, turn_context: TurnContext, query: MessagingExtensionQuery
    ) -> MessagingExtensionResponse:
        shelf = await self.shelf_property.get(turn_context, "all")
        url = f"{self.site_url}/settings.html?shelf={urllib.parse.quote_plus(shelf)}"
        return self._suggest("config", url)

    async def on_teams_messaging_extension_configuration_setting(
        self, turn_context: TurnContext, settings
    ):
        if "state" in settings and settings["state"] is not None:
            await self.shelf_property.set(turn_context, settings["state"])

    async def on_teams_messaging_extension_query(
        self, turn_context: TurnContext, query: MessagingExtensionQuery
    ) -> MessagingExtensionResponse:
        text = str(query.parameters[0].value).strip()
        shelf = await self.shelf_property.get(turn_context, "all")
        if "private" in shelf:
            return await self._search_private(turn_context, query, text)
        if text == "":
            await turn_context.send_activity(MessageFactory.text("Say what you look for."))
            return None
        return self._found([book for book in BOOKS if text in book["name"].lower()])

    async def _search_private(
        self, turn_context: TurnContext, query: MessagingExtensionQuery, text: str
    ):
        magic_code = query.state if query.state is not None else ""
        token = await turn_context.adapter.get_user_token(
            turn_context, self.connection_name, magic_code
        )
        if token is None or token.token is None:
            link = await turn_context.adapter.get_oauth_sign_in_link(
                turn_context, self.connection_name
            )
            return self._suggest("auth", link)
        return self._found([{"name": f"Private {text}", "summary": "Yours"}])

    async def on_teams_messaging_extension_select_item(
        self, turn_context: TurnContext, query
    ) -> MessagingExtensionResponse:
        card = HeroCard(title=query["name"], subtitle=query["summary"])
        return self._result(
            [
                MessagingExtensionAttachment(
                    content_type=CardFactory.content_types.hero_card, content=card
                )
            ]
        )

    async def on_teams_app_based_link_query(
        self, turn_context: TurnContext, query: AppBasedLinkQuery
    ):
        card = ThumbnailCard(title="A book", text=query.url)
        return self._result(
            [
                MessagingExtensionAttachment(
                    content_type=CardFactory.content_types.thumbnail_card, content=card
                )
            ]
        )

    async def on_teams_messaging_extension_fetch_task(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        if action.command_id == "signOut":
            await turn_context.adapter.sign_out_user(
                turn_context, self.connection_name, turn_context.activity.from_property.id
            )
            return self._task(CardFactory.adaptive_card({"type": "AdaptiveCard", "body": []}))
        return self._task(create_poll_editor())

    async def on_teams_messaging_extension_submit_action_dispatch(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        if action.command_id == "quote":
            return self._quote(action)
        return await super().on_teams_messaging_extension_submit_action_dispatch(
            turn_context, action
        )

    def _quote(self, action: MessagingExtensionAction) -> MessagingExtensionActionResponse:
        who = action.message_payload.from_property.user.display_name
        card = HeroCard(title=f"{who} wrote", text=action.message_payload.body.content)
        attachment = MessagingExtensionAttachment(
            content=card,
            content_type=CardFactory.content_types.hero_card,
            preview=CardFactory.hero_card(card),
        )
        return MessagingExtensionActionResponse(
            compose_extension=MessagingExtensionResult(
                type="result", attachment_layout="list", attachments=[attachment]
            )
        )

    async def on_teams_messaging_extension_submit_action(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        if action.command_id == "signOut":
            return MessagingExtensionActionResponse(task=None)
        preview = create_poll_preview(action.data["Question"], action.data["Option"])
        result = MessagingExtensionResult(
            type="botMessagePreview", activity_preview=MessageFactory.attachment(preview)
        )
        return MessagingExtensionActionResponse(compose_extension=result)

    async def on_teams_messaging_extension_bot_message_preview_edit(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        question, option = self._previewed(action)
        return self._task(create_poll_editor(question, option))

    async def on_teams_messaging_extension_bot_message_preview_send(
        self, turn_context: TurnContext, action: MessagingExtensionAction
    ) -> MessagingExtensionActionResponse:
        card = create_poll_preview(*self._previewed(action))
        await turn_context.send_activity(MessageFactory.attachment(card))

    def _previewed(self, action: MessagingExtensionAction):
        body = action.bot_activity_preview[0].attachments[0].content["body"]
        return body[0]["text"], body[1]["choices"][0]["value"]

    def _found(self, books) -> MessagingExtensionResponse:
        attachments = []
        for book in books:
            card = HeroCard(title=book["name"], tap=CardAction(type="invoke", value=book))
            attachments.append(
                MessagingExtensionAttachment(
                    content_type=CardFactory.content_types.hero_card,
                    content=HeroCard(title=book["name"]),
                    preview=CardFactory.hero_card(card),
                )
            )
        return self._result(attachments)

    def _result(self, attachments) -> MessagingExtensionResponse:
        return MessagingExtensionResponse(
            compose_extension=MessagingExtensionResult(
                type="result", attachment_layout="list", attachments=attachments
            )
        )

    def _suggest(self, kind: str, url: str) -> MessagingExtensionResponse:
        actions = [CardAction(type="openUrl", value=url, title="Open")]
        return MessagingExtensionResponse(
            compose_extension=MessagingExtensionResult(
                type=kind, suggested_actions=MessagingExtensionSuggestedAction(actions=actions)
            )
        )

    def _task(self, card) -> MessagingExtensionActionResponse:
        info = TaskModuleTaskInfo(card=card, height=200, title="Library", width=400)
        return MessagingExtensionActionResponse(task=TaskModuleContinueResponse(value=info))
