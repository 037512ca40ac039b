"""ExitStatus: how a command ended, for the script that ran it."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit statuses of every command. A command that Ctrl-C ended exits with 130, as shells
    expect."""

    DONE = 0
    FOUND = 1
    """The command ran, and there is something to look at: each command's help says what."""
    USAGE = 2
    """The command line is wrong, or the account sees no resource of a name in it, or several;
    nothing was done."""
    UNREACHABLE = 3
    """The storage account or Azure did not answer or refused, or nobody is signed in."""
