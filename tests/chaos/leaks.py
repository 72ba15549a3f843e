"""Searches the output of a run for secrets: logs, stderr, errors, pickles, search results, journal and store."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.chaos.media import Signature

# Long enough to exclude a coincidence, short enough to be found in a truncated message.
PREFIX = 16
CONTEXT = 60


class Leak(NamedTuple):
    """A secret that was found: in which channel, which one in which file, and the text before it."""

    channel: str
    secret: str
    before: str


@dataclass
class Found:
    """The result of a search.

    Attributes:
        channels: Number of bytes searched in each channel.
        leaks: Channel, secret and file of each find, and the text before it.
    """

    channels: dict[str, int] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)

    @property
    def leaking(self) -> set[str]:
        return {one.channel for one in self.leaks}


def needles(api_key: str, signature: Signature, wrong_key: str = "") -> dict[str, bytes]:
    """Return the secrets to search for, in each encoding in which they may appear."""
    key = api_key.encode()
    found = {"key": key, "key, url-quoted": quote(api_key, safe="").encode()}
    for offset in range(3):
        # The text before a secret shifts its base64 form; the first and last letters mix with it and are left out.
        found[f"key, base64 +{offset}"] = b64encode(b"x" * offset + key)[4 if offset else 0 : -4][: PREFIX * 2]
    for name in ("signature", "credential", "token"):
        found[name] = getattr(signature, name)[:PREFIX].encode()
    return found | ({"wrong key": wrong_key.encode()} if wrong_key else {})


def search(channels: Mapping[str, Path], secrets: Mapping[str, bytes]) -> Found:
    """Search all files of each channel: a file, or a folder with everything in it."""
    found = Found()
    for channel, place in channels.items():
        paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
        contents = [path.read_bytes() for path in paths]
        found.channels[channel] = sum(map(len, contents))
        for path, content in zip(paths, contents, strict=True):
            for name, secret in secrets.items():
                at = content.find(secret)
                if at >= 0:
                    before = content[max(0, at - CONTEXT) : at].decode(errors="replace")
                    found.leaks.append(Leak(channel, f"{name} in {path.name}", before))
    return found
