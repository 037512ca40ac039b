"""After `azd deploy`: the proof that the deployed bot works, and refuses unauthenticated calls."""

from hook import run

run("prove")
