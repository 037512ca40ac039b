"""What maintainers of this repository run: the targets of make that no bot needs."""
