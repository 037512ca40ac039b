"""`python -m admin migrate`: moves a bot from a secret to a credential without one.

`admin.deployment` and `admin.doctor` use its changes, steps and runner, too.
"""
