"""From search results to moments: which part of which video answers a query, from where to where, and why.

Here belongs what happens after a vector store has answered. Searching and embedding do not.
"""
