"""What each Marengo model accepts: input types, embedding options, segmentation, dimensions and their limits.

Here belong pure values and the rules that combine them. Reading a file, building a request and talking to the API do
not; see `media`, `api` and `transport`.
"""
