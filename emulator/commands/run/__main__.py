"""`python -m emulator.commands.run`: `make run`, which Ctrl-C also ends while it is imported."""

import sys

try:
    from emulator.commands.run.local_run import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    main()
