"""The REST half as a client meets it."""
