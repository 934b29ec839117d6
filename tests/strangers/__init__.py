"""A stranger: a server that keeps both specs and differs from the reference wherever they leave a choice.

The harness must find nothing wrong with it. It is the reference with lawful deviations switched on, by the same means
as `tests/mutants`, with the opposite aim: a requirement that fails here is a false alarm.

    python -m tests.strangers                                   all deviations at once, on the ports of `hype serve`
    python -m tests.strangers extra-members other-texts         only these
    python -m tests.strangers --list                            their names, and why each is lawful
    hype-contract --fast                                        the harness at it, in another terminal

The environment configures it as `hype serve` (HYPE_PROFILE, PORT, WS_PORT, DATABASE_URL …).

To add a deviation, add a row to `deviations.py` that quotes what allows it.
"""
