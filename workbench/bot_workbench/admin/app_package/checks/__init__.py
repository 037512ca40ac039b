"""The checks before there is a zip: schemas, rules, icons and languages."""
