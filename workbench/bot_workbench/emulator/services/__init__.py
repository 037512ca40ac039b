"""The local cloud's services as people switch them: faults, stop and start."""
