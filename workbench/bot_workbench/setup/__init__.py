"""Set-up: what the project installs into .venv and .cache."""
