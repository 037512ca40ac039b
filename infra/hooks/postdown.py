"""After `azd down`: deletes the app registration that was made for the environment."""

from hook import run

run("remove")
