"""Promises of the whole product, shown on a running server."""
