"""One HTTP request with everything around it: sync and async I/O, retries, rate limits, typed errors.

Here alone are threads, event loops, sleeps and the HTTP library. Which requests exist is known to `api` only.
"""
