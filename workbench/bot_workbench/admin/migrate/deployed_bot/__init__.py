"""A deployed bot as `bot migrate status` and `bot doctor` read it, and what its parts mean."""
