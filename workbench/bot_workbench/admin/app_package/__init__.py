"""`python -m bot_workbench.admin app-package`: what is uploaded to Teams."""
