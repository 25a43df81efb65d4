"""What a source tree says before any of it is followed: files, modules, imports, signatures, code inside other files.

Start at `files` (which files there are), `source` (one file as text that can be edited) and `modules` (what a dotted name
means). May import `project`; never imports torch.
"""
