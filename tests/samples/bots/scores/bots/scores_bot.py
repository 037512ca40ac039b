import os
from datetime import datetime

import requests
from botbuilder.core import TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    Attachment,
    ChannelAccount,
    ConversationAccount,
)
from botbuilder.schema.teams import (
    FileConsentCard,
    FileConsentCardResponse,
    FileDownloadInfo,
    FileInfoCard,
)
from botbuilder.schema.teams.additional_properties import ContentType


class ScoresBot(TeamsActivityHandler):
    async def on_message_activity(self, turn_context: TurnContext):
        attachments = turn_context.activity.attachments
        if attachments and attachments[0].content_type == ContentType.FILE_DOWNLOAD_INFO:
            download = FileDownloadInfo.deserialize(attachments[0].content)
            response = requests.get(download.download_url, allow_redirects=True)
            text = f"<b>{attachments[0].name}</b> has {len(response.content)} bytes"
            reply = self._create_reply(turn_context.activity, text, "xml")
            await turn_context.send_activity(reply)
        else:
            await self._ask_for_consent(turn_context, "canon.txt")

    async def _ask_for_consent(self, turn_context: TurnContext, filename: str):
        consent_context = {"filename": filename}
        card = FileConsentCard(
            description="The score for Tuesday",
            size_in_bytes=os.path.getsize("files/" + filename),
            accept_context=consent_context,
            decline_context=consent_context,
        )
        reply = self._create_reply(turn_context.activity)
        reply.attachments = [
            Attachment(
                content=card.serialize(), content_type=ContentType.FILE_CONSENT_CARD, name=filename
            )
        ]
        await turn_context.send_activity(reply)

    async def on_teams_file_consent_accept(
        self,
        turn_context: TurnContext,
        file_consent_card_response: FileConsentCardResponse,
    ):
        file_path = "files/" + file_consent_card_response.context["filename"]
        file_size = os.path.getsize(file_path)
        info = file_consent_card_response.upload_info
        with open(file_path, "rb") as in_file:
            response = requests.put(
                info.upload_url,
                in_file,
                headers={"Content-Range": f"bytes 0-{file_size - 1}/{file_size}"},
            )
        if response.status_code != 201:
            text = f"<b>Not uploaded:</b> {response.status_code}"
            await turn_context.send_activity(self._create_reply(turn_context.activity, text, "xml"))
            return
        card = FileInfoCard(unique_id=info.unique_id, file_type=info.file_type)
        reply = self._create_reply(turn_context.activity, f"<b>{info.name}</b> is there", "xml")
        reply.attachments = [
            Attachment(
                content=card.serialize(),
                content_type=ContentType.FILE_INFO_CARD,
                name=info.name,
                content_url=info.content_url,
            )
        ]
        await turn_context.send_activity(reply)

    async def on_teams_file_consent_decline(
        self,
        turn_context: TurnContext,
        file_consent_card_response: FileConsentCardResponse,
    ):
        name = file_consent_card_response.context["filename"]
        await turn_context.send_activity(
            self._create_reply(turn_context.activity, f"<b>{name}</b> stays here", "xml")
        )

    def _create_reply(self, activity, text=None, text_format=None):
        return Activity(
            type=ActivityTypes.message,
            timestamp=datetime.utcnow(),
            from_property=ChannelAccount(id=activity.recipient.id, name=activity.recipient.name),
            recipient=ChannelAccount(
                id=activity.from_property.id, name=activity.from_property.name
            ),
            reply_to_id=activity.id,
            service_url=activity.service_url,
            channel_id=activity.channel_id,
            conversation=ConversationAccount(
                is_group=activity.conversation.is_group,
                id=activity.conversation.id,
                name=activity.conversation.name,
            ),
            text=text or "",
            text_format=text_format or None,
            locale=activity.locale,
        )
