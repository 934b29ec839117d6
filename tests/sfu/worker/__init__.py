"""Tests of `hype.sfu.worker`."""
