"""Turns a validated request and its media files into vectors, and vectors into response JSON."""
