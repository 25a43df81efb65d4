"""The command line: arguments, words on a terminal and exit statuses; nothing else.

Start at `main`, which reads the arguments and calls one function a command (`commands`, `evidence`, `callsites`).
`terminal` is the only place that prints. May import every room.
"""
