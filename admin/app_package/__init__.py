"""`python -m admin app-package`: what is uploaded to Teams."""
