"""Reads request bodies, forms and query parameters, and validates them as the API documents."""
