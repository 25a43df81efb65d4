"""The names that a case file imports."""

from lossport.project.inputs import (
    PLAIN,
    SHARED_PART,
    IdKind,
    Inputs,
    Variation,
)

__all__ = [
    "PLAIN",
    "SHARED_PART",
    "IdKind",
    "Inputs",
    "Variation",
]
