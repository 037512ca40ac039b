"""The code in the app's process, which `bot_workbench.app_process` starts.

No other package of the workbench imports the app.
"""
