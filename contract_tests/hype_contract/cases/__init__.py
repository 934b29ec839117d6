"""The cases: functions that ask a target something and judge what it does, a folder per area.

How to write a case
-------------------
Write a function in any module of `rest/`, `gateway/`, `voice/`, `media/` or `fuzzing/` here (all are loaded). `@case`
declares the requirement: an id that never changes, and the rule as a sentence. The id begins with the ruling that the
rule derives from, or `source` names a section of the seed document. `level`, `profiles` and `strength` are as in
`Requirement`. A docstring says only how the case shows the rule, where the code does not.

       @case("R18.newest-first", "messages are listed newest first")
       def newest_first(world: World) -> None:
           ann = world.guest("ann")
           room = world.channel(ann)["id"]
           world.message(ann, room, "one")
           world.message(ann, room, "two")
           reply = world.rest.call("listMessages", query={"channelId": room}, expect=200)
           must.equal([m["content"] for m in reply.data], ["two", "one"], "the contents", seen=reply.pair)

`world` makes users, channels and sockets, and removes them. The clients judge every answer and frame by the specs;
a case asserts what a schema cannot say, with `must`. `expect=` demands a status. A case shows an absence with a fence
(`socket.expect_nothing_before`), never with a sleep. A case that sends nothing beside `world`'s own preparations is an
`error`: it exercised nothing, so it cannot pass. Several cases may check one requirement: the first declares it, and
the others name its id alone. `declare` declares a requirement that a family judges.

`@case(id, alone=True)` runs with nothing beside it (counts of all users, failed logins). `generates=True` marks a case
that uses hypothesis (ask for `world.times(n)` examples). `slow=True` marks a case that takes seconds, or asks much:
`--fast` leaves it out. `alike=True` marks cases that differ only in the operation, the kind of media, or the way into
or out of a call: `--fast` runs some of them. `@family` registers a function that yields cases from the contract, for
example one per operation.

A rule that holds for every answer, or every event, belongs in `actors/promises/`, which looks at all that any case
sees, and fails the requirement `seen.…`. Cases that restart the target (`actors/restart.py`) have the order `LAST`.

`world.options` holds the target's secrets, if the command was given them. `world.shared` makes what several cases
share. Raise `must.NeedsOption(why)` where a case needs an option that was not given, and `must.Skipped(why)` where it
cannot be judged for another reason.
"""
