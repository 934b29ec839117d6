"""Tests of `hype.sfu.codecs`."""
