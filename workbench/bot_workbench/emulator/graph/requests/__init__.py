"""What a request to Graph is: its caller, its query and the shape of its body."""
