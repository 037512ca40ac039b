"""The parts that `status` reads."""
