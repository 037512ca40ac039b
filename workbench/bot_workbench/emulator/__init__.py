"""A local cloud for development, tests and benchmarks: loopback only, never deployed."""
