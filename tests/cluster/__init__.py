"""Tests of `hype.cluster`."""
