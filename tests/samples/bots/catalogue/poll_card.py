from botbuilder.core import CardFactory
from botbuilder.schema import Attachment


def create_poll_editor(question: str = None, option: str = None) -> Attachment:
    return CardFactory.adaptive_card(
        {
            "type": "AdaptiveCard",
            "version": "1.0",
            "body": [
                {"type": "Input.Text", "id": "Question", "value": question},
                {"type": "Input.Text", "id": "Option", "value": option},
            ],
            "actions": [{"type": "Action.Submit", "title": "Preview"}],
        }
    )


def create_poll_preview(question: str = None, option: str = None) -> Attachment:
    return CardFactory.adaptive_card(
        {
            "type": "AdaptiveCard",
            "version": "1.0",
            "body": [
                {"type": "TextBlock", "text": question},
                {
                    "type": "Input.ChoiceSet",
                    "id": "Answer",
                    "choices": [{"title": option, "value": option}],
                },
            ],
            "actions": [{"type": "Action.Submit", "title": "Vote"}],
        }
    )
