"""The errors between a command and Azure. Foreign errors are translated once, into these.

    AzureProblem                exit status
    ├── NotSignedIn             3  no token, or 401; the text says what to do
    ├── NotReachable            3  no answer, or no usable one, after all attempts
    │   └── AnswerLost          3  a write was sent, and what became of it is unknown
    ├── Forbidden               3  403; the text says what to do
    └── Refused                 1  Azure's own message, in one line
        ├── NotFound            1  404: it does not exist, or not any more
        │   └── UnknownName     2  the account sees no resource or subscription of this name
        ├── Ambiguous           2  several resources have this name; the text lists them
        └── Conflict            1  409 or 412

No text holds a token, a secret or the value of an app setting.
"""

from bot_workbench.admin.exit_status import ExitStatus


class AzureProblem(Exception):
    """Base of every error that the clients raise.

    Attributes:
        exit_status: how a command ends that cannot do without the call.
    """

    exit_status = ExitStatus.UNREACHABLE


class NotSignedIn(AzureProblem):
    """No credential has a token for Azure."""


class NotReachable(AzureProblem):
    """A service gives no usable answer."""


class AnswerLost(NotReachable):
    """A write was sent, but its answer did not arrive: it may have been done or not."""


class Forbidden(AzureProblem):
    """The signed-in account may not do this.

    Args:
        answer: what Azure says, in one line.
        cure: what to do about it.
        needs_role: whether the account lacks a role, or a new role has no effect yet; False: a
            policy or a firewall refuses everyone.
    """

    def __init__(self, answer: str, cure: str, *, needs_role: bool) -> None:
        super().__init__(f"{answer} {cure}")
        self.answer = answer
        self.cure = cure
        self.needs_role = needs_role


class Refused(AzureProblem):
    """Azure refuses the request.

    Attributes:
        status: the HTTP status; 0 if no request was sent.
        code: the error code of Azure's answer, such as "InvalidBotData"; empty if it has none.
    """

    exit_status = ExitStatus.FOUND

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NotFound(Refused):
    """The object does not exist, or not yet."""


class UnknownName(NotFound):
    """The account sees no resource or subscription of the name. Unless it is caught, the name is
    one that the command line gives."""

    exit_status = ExitStatus.USAGE


class Ambiguous(Refused):
    """Several resources have the name."""

    exit_status = ExitStatus.USAGE


class Conflict(Refused):
    """The object exists already, or is being changed by somebody else."""
