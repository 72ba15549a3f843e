"""One HTTP request: sync and async I/O, retries, rate limits, typed errors.

Only this package has threads, event loops, sleeps and the HTTP library. It does not know which requests exist.
"""
