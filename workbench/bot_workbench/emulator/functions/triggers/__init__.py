"""The triggers of an app's functions, but for HTTP."""
