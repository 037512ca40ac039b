"""`bot cloud`: the local cloud alone, until Ctrl-C."""

import os
import signal

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While packages are imported, KeyboardInterrupt could be raised anywhere in them.
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # shutdown.INTERRUPTED

    from bot_workbench.commands.cloud import main

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
