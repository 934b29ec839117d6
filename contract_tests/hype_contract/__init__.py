"""A black-box judge of Hype servers: any implementation, in any language, by URL.

It reads the two published specs, never the code of a server. `python -m hype_contract --help` says how to use it;
`hype_contract/cases/__init__.py` says how to write a case.
"""
