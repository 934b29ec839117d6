"""Benchmarks of the SFU and the harness. They are scripts and no tests, since machines differ."""
