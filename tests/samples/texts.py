"""What bots have said, as tests compare it."""

from bot_testing import Chat, TurnResult


def said(result: TurnResult) -> list[str]:
    """Each reply's text, or what is attached to it."""
    return [reply.text or kinds(reply.attachments) for reply in result]


def kinds(attachments: list[dict[str, object]]) -> str:
    """The last words of attachments' content types, such as `hero` for a hero card."""
    return " ".join(str(each["contentType"]).rpartition(".")[2] for each in attachments)


async def conversation(chat: Chat, *steps: tuple[str, list[str]]) -> None:
    """Say each text, and compare what the bot replies."""
    for text, expected in steps:
        got = said(await chat.say(text))
        assert got == expected, f"{text}: {got}"
