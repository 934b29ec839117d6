"""The command line of `hype-contract`: its options, and `hype-contract list`."""
