"""`bot app-package`: what is uploaded to Teams."""
