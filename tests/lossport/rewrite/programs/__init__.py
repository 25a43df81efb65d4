"""Programs of other teams in small: real behaviour, no torch needed."""
