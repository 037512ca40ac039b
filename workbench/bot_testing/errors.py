"""The errors of the test kit.

AssertionError
├── TurnFailure  the bot's answer is not what the test expects of a turn
└── NoReply  the bot sends nothing more
ChatMistake  the test asks for something that no user could do
"""


class TurnFailure(AssertionError):
    """The bot's answer is not what the test expects, or the app refused an activity.

    Attributes:
        status: the HTTP status of the answer.
    """

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.status = status


class NoReply(AssertionError):
    """The bot has sent nothing more."""


class ChatMistake(Exception):
    """The test asks for something that no user could do; the text says what is possible."""
