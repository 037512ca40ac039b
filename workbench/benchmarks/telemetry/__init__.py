"""The telemetry part of the comparison: what an exported turn costs this project."""
