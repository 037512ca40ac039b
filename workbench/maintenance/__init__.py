"""The commands of this repository's maintainers: the targets of make that no bot needs."""
