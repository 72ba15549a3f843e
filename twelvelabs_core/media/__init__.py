"""Media that the caller passes: paths, URLs, bytes, file objects and assets, inspected and checked before any request.

Code that reads local media or compares it with a model's limits belongs here; code that sends it belongs in `api`.
"""
