"""A model of sessions, rooms, messages, calls and profiles, compared with REST and several sockets of several users.

- `chat_model`: the model, which knows no protocol: the state, and the frames that each action must send to each socket;
- `frame_checker`: compares the frames that a socket hears with those that it must hear, and with their order;
- `rest_checker`: compares what REST shows with the state of the model;
- `driver`: the users, channels and sockets of one script; does each action on the target and in the model;
- `machine`: the rules by which hypothesis writes a script; after each step frames and REST are checked;
- `script_runner`: runs all scripts and keeps the shortest one that fails.

To add an action, write a method of `ChatModel` that changes the state and says which socket must hear what, a method of
`Driver` that does the same on the target as well, and a rule of `Machine` that says when the action is possible.
"""
