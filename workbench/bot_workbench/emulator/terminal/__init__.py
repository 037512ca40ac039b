"""What people see in a terminal, and type there."""
