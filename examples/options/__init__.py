"""The CLIP loss three times, one for each way that was weighed: mended mixins, a simple restart, shared functions only.

All three compute the same numbers. `lossport compare` measures them side by side; docs/decision.md says what came of it.
"""
