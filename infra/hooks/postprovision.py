"""After `azd provision`: gives the bot's credential what the template cannot."""

from hook import run

run("finish")
