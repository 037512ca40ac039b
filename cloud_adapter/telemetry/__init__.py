"""Telemetry: spans, metrics and log lines through OpenTelemetry, and their export."""
