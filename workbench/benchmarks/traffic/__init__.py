"""The load on the contestants, and the connector that takes their replies."""
