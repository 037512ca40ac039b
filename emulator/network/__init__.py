"""The public names of Azure's services, and two ways by which a client gets to their stand-ins."""
