"""From media to stored segments, paid for once: identity, upload, task, wait, result, recovery.

Here belongs the life of a paid task and everything that `segment_*` does around it. Single requests are in `api`.
"""
