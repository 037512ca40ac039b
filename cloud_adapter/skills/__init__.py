"""The replies of skills, which a parent bot passes on as their channel."""
