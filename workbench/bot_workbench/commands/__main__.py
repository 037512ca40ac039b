"""`python -m bot_workbench.commands NAME ...`: runs a command, which Ctrl-C also ends while it loads."""

import runpy
import sys

if __name__ == "__main__":
    module = f"bot_workbench.commands.{sys.argv.pop(1)}"
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        sys.exit(130)  # shutdown.INTERRUPTED, whose import may be what was interrupted
