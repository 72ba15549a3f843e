"""What the caller hands in: paths, URLs, bytes, file objects and assets, inspected and checked before anything is sent.

Here belongs everything that reads local media and compares it with the limits of a model. Sending it does not; see
`api`.
"""
