"""The conformance harness: a black-box judge of any Hype server, in any language, by its URLs.

It reads the two published specs and never the code of a server. `python -m hype_contract --help` explains the command,
`hype_contract/cases/__init__.py` how to write a case.
"""
