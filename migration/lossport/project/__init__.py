"""The project: its configuration, ports and ledger, the inputs of cases, and all-or-nothing edits of its tree.

Start at `config`, which reads `[tool.lossport]`, and `port`, the words of a port file. `transaction` is the only writer of
the tree. Imports no other room, and torch in `inputs` alone.
"""
