"""Call sites that no tool can rewrite on its own, one kind a file. Each still runs when its loss has moved.

Run from the project's folder: python -m examples.needs_a_person
"""
