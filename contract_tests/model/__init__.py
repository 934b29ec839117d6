"""One model of rooms, messages, calls and profiles, run against REST and several sockets of several users at once.

- `conversation`: the model, which never touches a wire: what is so, and what each action must make each socket hear;
- `hearing`: whether what a socket heard is that, in that order, and nothing else;
- `machine`: hypothesis chooses the actions, does them on a target, and leaves of a failing script what it needs.

To add an action: a method of `Conversation` that changes the state and says who is to hear what, and a rule of
`Machine` that does it on the wire.
"""
