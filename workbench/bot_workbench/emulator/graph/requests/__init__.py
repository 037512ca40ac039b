"""A request to Graph: its caller, its query and the shape of its body."""
