"""Tests of the harness: it must catch what is wrong and leave alone what is right."""
