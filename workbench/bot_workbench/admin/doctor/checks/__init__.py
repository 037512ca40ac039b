"""The doctor's checks, subject by subject. A check reads nothing: it judges what was read."""
