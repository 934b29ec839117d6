"""The cases: functions that ask a target something and judge what it does, a folder per area.

How to write a case
-------------------
1. Give the rule an id in `hype_contract/requirements/<area>.py`.
2. Write a function in any module of `rest/`, `gateway/`, `voice/`, `media/` or `fuzzing/` here (all are loaded):

       @case("R18.newest-first")
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
`error`: it exercised nothing, so it cannot pass. Several cases may check one requirement.

`@case(id, alone=True)` runs with nothing beside it (counts of all users, failed logins). `generates=True` marks a case
that uses hypothesis (ask for `world.times(n)` examples). `slow=True` marks a case that takes seconds, or asks much:
`--fast` leaves it out. `alike=True` marks cases that differ only in the operation, the kind of media, or the way into
or out of a call: `--fast` runs some of them. `@family` registers a function that yields cases from the contract, for
example one per operation.

`world.options` holds the target's secrets, if the command was given them. `world.shared` makes what several cases
share. Raise `must.NeedsOption(why)` where a case needs an option that was not given, and `must.Skipped(why)` where it
cannot be judged for another reason.
"""
