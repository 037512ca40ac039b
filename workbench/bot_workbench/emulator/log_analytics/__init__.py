"""Log Analytics: the query API of its workspaces."""
