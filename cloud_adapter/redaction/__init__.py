"""Redaction: removes the content of an activity from texts for the log.

Each string of the activity is replaced, and so is each word of a string; keys of free-form JSON and
numbers count as strings. A string must have at least four characters to be replaced; two are enough
if one is a digit, or in a script that writes names in two characters. Case does not matter, nor how
Python, JSON or a URL quotes a string. Inside a longer word, only strings of eight characters or
more are replaced: a user who says `29` must not make every `429` unreadable.

A text for the log is short, but an activity may have a megabyte. So the activity's strings are read
in chunks, and looked up in an index of the texts. If that would take too long, the texts are
replaced as a whole.
"""
