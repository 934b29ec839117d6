"""Tests of `hype.sfu.signalling`."""
