"""`python -m emulator.old_bot --port PORT`: the old bot, with the environment's settings."""

import argparse
import os

from emulator.old_bot.web_app import main

parser = argparse.ArgumentParser(prog="python -m emulator.old_bot", description=__doc__)
parser.add_argument("--port", type=int, default=3978, help="where it listens (default: 3978)")
main(os.environ, parser.parse_args().port)
