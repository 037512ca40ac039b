"""Microsoft Graph: the directory's applications and service principals, and reports of sign-ins."""
