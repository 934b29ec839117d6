"""Mutants: small contract bugs, switched on over the reference, each of which the harness must find.

    python -m tests.mutants                                     the control, then every mutant; the kill table
    python -m tests.mutants rest.messages gateway.typing        those whose names begin so
    python -m tests.mutants --profile documented --jobs 2       those that break the documented profile
    python -m tests.mutants --sample 16 --seed 7                the seventh sixteen, as CI would run them that day
    python -m tests.mutants.serve rest.messages.oldest-first    a broken server, to look at by hand

A mutant is a row in `MUTANTS`, in one of the files here (`rest_messages.py`, `gateway_rooms.py` …): a name, the bug in
one sentence as a bug tracker would have it, its changes of the server, what it breaks, and the requirement that must
see it. To add one:

    mutant(
        "rest.messages.offset-ignored",
        "The offset of a page is ignored.",
        Query("Message.page", lambda page, model, channel_id, limit, offset: page(channel_id, limit, 0)),
        of="listMessages",
        killed_by="R18.pages",
    ),

A change names a place of the server and says what is there instead. `seams.py` has the kinds of places, of which the
first that fits is the best, because it lasts longest:

    SpecPatch     a rule of the specs, as the server loads them: `openapi.yaml#/components/schemas/Username/minLength`
    RequestHead   the head of an HTTP request, AnswerHead that of an answer
    Operation     an operation by its operationId: its request, its answer, its refusal, what it announces
    Payload       a component of openapi.yaml, as the server makes it from a row
    Event         an event of the server by its name: its data, its audience, its time
    Frame         a client's event by its name, before its handler
    Query         a method of a model
    Media, Books  a method of the SFU as the server calls it, and of its books of who sends what to whom
    Around        any other public function or method, by its package and its qualified name
    Edit          one line of source, quoted as briefly as it is unique

`Within` puts other changes in force while some operations run. `changes.py`, `audiences.py` and `token_changes.py` have
the words that rows share, such as `without("email")` and `refusing(404, 400)`. A row's own functions stand above its
file's table. A change that fits no place any more, or two, is an error and no survivor. `test_mutants.py` counts the
rows that quote source: their number never rises.

Nothing in `hype/` knows of the mutants, and the harness judges by the published specs.

The harness may restart a mutant that `restart.…` must kill (`again.py`).

`killed_by` is a requirement's id or the beginning of ids. A mutant counts as killed when a run of that much alone says
`does not conform` and names such a requirement, of the mutant's own area. A mutant that survives is a hole in the
harness, or no bug: write the case for the rule, never for the mutant. A row whose own function fails counts as broken;
a bug that is a 500 calls `crash()`.
"""
