"""Role-based access control: role definitions, role assignments, and what they allow."""
