"""Decodes media and embeds media and text as 512-d unit vectors, independent of HTTP and the API.

The engine is NOT Marengo and has no understanding of meaning. It measures colours, brightness, motion, texture,
loudness, tone and noise, maps the words of a text onto the same qualities, and uses captions or chapters inside a file
as its speech. Every function blocks, may be called from any thread, returns the same vectors for the same input, and
uses a bounded amount of memory.
"""
