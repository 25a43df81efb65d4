"""lossport: take duplicated legacy losses to a small clean library, provably."""

__version__ = "0.1.0"
