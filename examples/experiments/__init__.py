"""Experiments that are files: what to train on, for how long, and which loss, named by its dotted path.

Run from the project's folder: python -m examples.experiments
"""
