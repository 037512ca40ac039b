"""The parts of the app that make spans: subclasses, called Traced and the name of the base."""
