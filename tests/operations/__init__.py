"""Tests of `hype.operations`."""
