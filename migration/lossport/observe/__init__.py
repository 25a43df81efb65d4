"""Run one case on one side, and see everything: results, gradients, state, random numbers, exceptions, warnings.

Start at `run`. `side` loads the modules of a side, `call_recorder` sees what is built and called, `observation` is what was
seen. Needs torch and the standard library; may import `project`.
"""
