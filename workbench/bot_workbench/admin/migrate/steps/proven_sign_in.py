# ruff: noqa
"""Former import paths."""

from bot_workbench.admin.migrate.steps.proof import LABELS as LABELS
from bot_workbench.admin.migrate.steps.proof import unavailable_note as unavailable_note
from bot_workbench.admin.migrate.steps.proof import proven_sign_in as ProvenSignIn
