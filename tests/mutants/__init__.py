"""Who judges the judge: small contract bugs, switched on over the reference, each of which the harness must find.

    python -m tests.mutants                                     the control, then every mutant; the kill table
    python -m tests.mutants rest.messages gateway.typing        those whose names begin so
    python -m tests.mutants --profile documented --jobs 2       those that break the documented profile
    python -m tests.mutants --sample 16 --seed 7                the seventh sixteen, as CI would run them that day
    python -m tests.mutants.serve rest.messages.oldest-first    a broken server, to look at by hand

A mutant is a row in `MUTANTS`, in one of the files here (`rest_messages.py`, `gateway_rooms.py` …): a name, the bug in
one sentence as a bug tracker would have it, where it changes the server, what it breaks, and the requirement that must
see it. To add one:

    mutant(
        "rest.messages.oldest-first",
        "The page of messages begins with the oldest one.",
        Edit("hype/models/messages.py", "cls.created_at.desc(), cls.id.desc()", "cls.created_at, cls.id"),
        of="listMessages",
        killed_by="R18.newest-first",
    ),

`Edit` changes a line of the server's code as it is imported, the workers' too (`hype/sfu`); `Law` changes a place of
the specs as the server loads them, since most rules stand there. Nothing in `hype/` knows of it, and the harness judges
by the published specs. A change that has nothing to change any more, or in two places, is an error and no survivor.

`killed_by` is a requirement's id or the beginning of ids. A mutant counts as killed when a run of that much alone says
`does not conform` and names such a requirement, of the mutant's own area. A mutant that survives is a hole in the
harness, or no bug: write the case for the rule, never for the mutant.
"""
