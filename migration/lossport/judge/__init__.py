"""Compare two observations of one case, through the port.

Start at `pair` (both sides of a loss, ready to run), then `comparison` (place by place) and `closeness` (when numbers are close
enough). `shrink` and `counterexample` make a difference small and runnable. May import `observe`, `follow`, `source`, `project`.
"""
