"""Detection power: plant faults in new losses, and see whether parity notices.

Start at `detection`; `operators` is the catalogue of faults, `equivalents` reads what people recorded about faults that nothing
can see. Stands beside the house: uses it, and no room but `cli` imports it.
"""
