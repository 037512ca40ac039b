"""The connector API that a parent bot offers its skills, to pass on their replies."""
