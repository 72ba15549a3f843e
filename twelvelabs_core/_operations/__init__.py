"""Every operation, written once as `async def` over an `Io`; `AsyncClient` and `Client` both run these."""
