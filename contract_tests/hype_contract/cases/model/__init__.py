"""One model of sessions, rooms, messages, calls and profiles, run against REST and several sockets of several users.

- `conversation`: the model, which never touches a wire: what is so, and what each action must make each socket hear;
- `hearing`: whether what a socket heard is that, in that order, and nothing else;
- `reading`: whether REST shows what is so;
- `stage`: the users, channels and sockets of one script, and what may be done with them, on the wire and in the model;
- `machine`: the script, which hypothesis writes: after each step it is heard and read;
- `playing`: all scripts of a run; of those that fail the shortest is left.

To add an action: a method of `Conversation` that changes the state and says who is to hear what, one of `Stage` that
does it on the wire too, and a rule of `Machine` that says when it may happen.
"""
