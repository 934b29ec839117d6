"""A black-box judge of Hype servers: any implementation, in any language, by URL.

It reads the two published specs, never the code of a server. `python -m contract_tests --help` says how to use it;
`contract_tests/runner.py` says how to write a case.
"""
