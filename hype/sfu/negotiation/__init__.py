"""Pure functions over what clients say of their media (ORTC): validation, mapping and answers."""
