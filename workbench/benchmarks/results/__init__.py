"""The results of a comparison: measurements, goals, tables and plots."""
