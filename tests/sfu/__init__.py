"""Tests of `hype.sfu`."""
