import json
import os

from botbuilder.core import CardFactory, MessageFactory
from botbuilder.dialogs import ComponentDialog, WaterfallDialog, WaterfallStepContext
from botbuilder.dialogs.choices import Choice
from botbuilder.dialogs.prompts import ChoicePrompt, PromptOptions
from botbuilder.schema import (
    ActionTypes,
    AnimationCard,
    AttachmentLayoutTypes,
    AudioCard,
    CardAction,
    CardImage,
    Fact,
    HeroCard,
    MediaUrl,
    OAuthCard,
    ReceiptCard,
    ReceiptItem,
    SigninCard,
    ThumbnailCard,
    ThumbnailUrl,
    VideoCard,
)

from .resources.recipe_card import RECIPE_CARD

KINDS = [
    "adaptive",
    "animation",
    "audio",
    "hero",
    "oauth",
    "receipt",
    "signin",
    "thumbnail",
    "video",
]
LINK = "https://example.org/recipes"


class CardDialog(ComponentDialog):
    def __init__(self):
        super().__init__("CardDialog")
        self.add_dialog(ChoicePrompt("cardPrompt"))
        self.add_dialog(WaterfallDialog("cardWaterfall", [self.choose_step, self.show_step]))
        self.initial_dialog_id = "cardWaterfall"

    async def choose_step(self, step_context: WaterfallStepContext):
        return await step_context.prompt(
            "cardPrompt",
            PromptOptions(
                prompt=MessageFactory.text("Which card?"),
                retry_prompt=MessageFactory.text("Choose one of the list."),
                choices=[Choice(value=kind) for kind in [*KINDS, "menu", "all"]],
            ),
        )

    async def show_step(self, step_context: WaterfallStepContext):
        reply = MessageFactory.list([])
        chosen = step_context.result.value
        if chosen == "menu":
            reply.attachments.append(self.create_menu_card())
        elif chosen == "all":
            reply.attachment_layout = AttachmentLayoutTypes.carousel
            reply.attachments.extend(self.create_card(kind) for kind in KINDS)
        else:
            reply.attachments.append(self.create_card(chosen))
        await step_context.context.send_activity(reply)
        return await step_context.end_dialog()

    def create_card(self, kind: str):
        return getattr(self, f"create_{kind}_card")()

    def create_menu_card(self):
        with open(os.path.join(os.getcwd(), "resources/menu.json"), "rb") as in_file:
            return CardFactory.adaptive_card(json.load(in_file))

    def create_adaptive_card(self):
        return CardFactory.adaptive_card(RECIPE_CARD)

    def create_animation_card(self):
        return CardFactory.animation_card(
            AnimationCard(media=[MediaUrl(url=f"{LINK}/whisk.gif")], title="Whisking")
        )

    def create_audio_card(self):
        card = AudioCard(
            media=[MediaUrl(url=f"{LINK}/sizzle.wav")],
            title="Sizzling",
            image=ThumbnailUrl(url=f"{LINK}/pan.png"),
        )
        return CardFactory.audio_card(card)

    def create_hero_card(self):
        card = HeroCard(
            title="Soup of the day",
            images=[CardImage(url=f"{LINK}/soup.png")],
            buttons=[CardAction(type=ActionTypes.open_url, title="Recipe", value=LINK)],
        )
        return CardFactory.hero_card(card)

    def create_oauth_card(self):
        card = OAuthCard(
            text="Your cookbook",
            connection_name="cookbook",
            buttons=[CardAction(type=ActionTypes.signin, title="Sign in", value=LINK)],
        )
        return CardFactory.oauth_card(card)

    def create_receipt_card(self):
        card = ReceiptCard(
            title="Evening class",
            facts=[Fact(key="Places", value="2")],
            items=[ReceiptItem(title="Apron", price="12.00", quantity="2")],
            total="24.00",
        )
        return CardFactory.receipt_card(card)

    def create_signin_card(self):
        button = CardAction(type=ActionTypes.signin, title="Sign in", value=LINK)
        return CardFactory.signin_card(SigninCard(text="Your classes", buttons=[button]))

    def create_thumbnail_card(self):
        return CardFactory.thumbnail_card(
            ThumbnailCard(title="Bread", text="Sourdough, \u201clike in the old days\u201d")
        )

    def create_video_card(self):
        card = VideoCard(title="Kneading", media=[MediaUrl(url=f"{LINK}/kneading.mp4")])
        return CardFactory.video_card(card)
