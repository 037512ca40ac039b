import base64
import os
import urllib.request

from botbuilder.core import ActivityHandler, CardFactory, MessageFactory, TurnContext
from botbuilder.schema import (
    ActionTypes,
    Activity,
    ActivityTypes,
    Attachment,
    AttachmentData,
    CardAction,
    HeroCard,
)

PICTURE = "resources/print.png"


class PhotoBot(ActivityHandler):
    async def on_message_activity(self, turn_context: TurnContext):
        if turn_context.activity.attachments and len(turn_context.activity.attachments) > 0:
            await self._keep(turn_context)
        else:
            await self._send(turn_context)
        await self._offer(turn_context)

    async def _keep(self, turn_context: TurnContext):
        for attachment in turn_context.activity.attachments:
            info = self._download(attachment)
            if "filename" in info:
                await turn_context.send_activity(
                    f"{info['filename']} has {os.path.getsize(info['local_path'])} bytes."
                )
            else:
                await turn_context.send_activity("That cannot be downloaded.")

    def _download(self, attachment: Attachment) -> dict:
        try:
            response = urllib.request.urlopen(attachment.content_url)
            local_path = os.path.join(os.environ["PhotoFolder"], attachment.name)
            with open(local_path, "wb") as out_file:
                out_file.write(response.read())
            return {"filename": attachment.name, "local_path": local_path}
        except Exception as exception:
            print(exception)
            return {}

    async def _send(self, turn_context: TurnContext):
        reply = Activity(type=ActivityTypes.message)
        first = turn_context.activity.text[0]
        if first == "1":
            reply.text = "In the message itself."
            reply.attachments = [self._inline()]
        elif first == "2":
            reply.text = "From the web."
            reply.attachments = [
                Attachment(
                    name="print.png",
                    content_type="image/png",
                    content_url="https://example.org/print.png",
                )
            ]
        elif first == "3":
            reply.text = "Uploaded to the channel."
            reply.attachments = [await self._uploaded(turn_context)]
        else:
            reply.text = "Please choose 1, 2 or 3."
        await turn_context.send_activity(reply)

    def _inline(self) -> Attachment:
        with open(os.path.join(os.getcwd(), PICTURE), "rb") as in_file:
            picture = base64.b64encode(in_file.read()).decode()
        return Attachment(
            name="print.png",
            content_type="image/png",
            content_url=f"data:image/png;base64,{picture}",
        )

    async def _uploaded(self, turn_context: TurnContext) -> Attachment:
        with open(os.path.join(os.getcwd(), PICTURE), "rb") as in_file:
            picture = in_file.read()

        connector = await turn_context.adapter.create_connector_client(
            turn_context.activity.service_url
        )
        response = await connector.conversations.upload_attachment(
            turn_context.activity.conversation.id,
            AttachmentData(name="print.png", original_base64=picture, type="image/png"),
        )
        base_uri: str = connector.config.base_url
        uri = base_uri + ("" if base_uri.endswith("/") else "/")
        return Attachment(
            name="print.png",
            content_type="image/png",
            content_url=f"{uri}v3/attachments/{response.id}/views/original",
        )

    async def _offer(self, turn_context: TurnContext):
        buttons = [
            CardAction(type=ActionTypes.im_back, title=title, value=title[0])
            for title in ("1. Inline", "2. Web", "3. Uploaded")
        ]
        card = HeroCard(text="Send a photo, or choose", buttons=buttons)
        await turn_context.send_activity(MessageFactory.attachment(CardFactory.hero_card(card)))
