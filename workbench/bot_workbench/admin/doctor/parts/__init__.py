"""The parts of a deployed bot that the doctor reads."""
