"""Before `azd provision`: checks what it needs, and makes the app registration."""

from hook import run

run("prepare")
