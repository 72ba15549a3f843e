"""One file per resource of the vendor's API: embed, tasks, assets, uploads and the deprecated v1.

Here belongs what one call of a resource sends and returns. Work that is paid for once and stored is in `ingest`.
"""
