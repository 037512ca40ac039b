"""Set-up: installs what the commands need."""
