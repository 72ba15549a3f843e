"""A request log of the sandbox that counts concurrent requests."""

from twelvelabs_sandbox import RecordedRequest, RequestLog


class PeakLog(RequestLog):
    """A request log that also records the largest number of concurrent requests."""

    peak = 0

    def arrived(self, method: str, path: str, template: str) -> RecordedRequest:
        request = super().arrived(method, path, template)
        # The number grows only when a request arrives, so counting then finds every peak.
        self.peak = max(self.peak, sum(one.status is None for one in self.all()))
        return request
