"""Errors, settings, limits and helpers that every other sub-package uses.

Here belongs what depends on nothing else in the package: the exception tree, settings from arguments and environment,
redaction of URLs, progress events and the documented limits. Nothing here knows media, models, HTTP or SQL.
"""
