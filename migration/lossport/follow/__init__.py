"""What an expression may stand for, and how it is used: the abstract run that finds call sites.

Start at `sites` (every call site of some losses), then `survey` (which files are looked at), `file_facts` (what is found out),
`flow` (the run of one file), `world` (all files, until nothing changes) and `uses` (what is done with a value). May import
`project` and `source`; never imports torch.
"""
