"""What was measured: goals, tables and plots."""
