"""Tests of `hype.rest`, as a client sees it."""
