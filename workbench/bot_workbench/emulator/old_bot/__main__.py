"""`python -m bot_workbench.emulator.old_bot --port PORT`: the old bot, set by the environment."""

import argparse
import os

from bot_workbench.emulator.loopback import port_number
from bot_workbench.emulator.old_bot.web_app import main

parser = argparse.ArgumentParser(
    prog="python -m bot_workbench.emulator.old_bot", description=__doc__
)
parser.add_argument(
    "--port", type=port_number, default=3978, help="where it listens (default: 3978)"
)
# A program that starts it may open the port before.
parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)
options = parser.parse_args()
main(os.environ, options.port, options.listener)
