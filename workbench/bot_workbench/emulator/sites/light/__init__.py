"""A runtime of sites in the emulator's own process, for tests that need no running bot."""
