"""The order of the stages: plan, record, prove, switch, retire, tell.

Start at `pipeline`. `evidence_of` keeps the goldens and proofs of one loss current, `parity` compares many losses,
`rehearsal` runs the project's own tests on a copy, `stages` derives where a loss stands, `tell` gathers what the report shows.
May import every room but `cli`.
"""
