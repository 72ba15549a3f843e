"""`SpaceCheck`: refuses segments whose vectors are of another space."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from twelvelabs_core.base.errors import InputError

logger = logging.getLogger("twelvelabs_core")


class SpaceCheck:
    """Refuses segments whose vectors are of another space; warns once of those written before the space was recorded.

    Args:
        space: The expected space, such as `marengo3.0/512`.

    Example:
        ```python
        check = SpaceCheck(embeddings.space)
        check([document.metadata for document in documents])
        ```
    """

    def __init__(self, space: str) -> None:
        self._space = space
        self._has_warned = False

    @property
    def dimension(self) -> int:
        """Number of values in a vector of the space."""
        return int(self._space.rpartition("/")[2])

    def __call__(self, segments: Iterable[Mapping[str, Any]]) -> None:
        """Check the metadata of segments.

        Raises:
            InputError: The vector of a segment is of another space, or, where that is not recorded, of another model.
        """
        for metadata in segments:
            space, model = metadata.get("space"), metadata.get("model")
            if not is_of_space(space or model or "", self._space):
                raise InputError(
                    f"cannot use the segment {metadata.get('segment_id')} of {metadata.get('source')!r}: its vector is "
                    f"of the space {space or model}, not {self._space}, and the two are not comparable. Load its media "
                    "again with these embeddings, into another collection."
                )
            if not space and not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "some segments have no `space` in their metadata, because an earlier version wrote them; whether "
                    "their vectors are comparable with those of %s is not known. Load their media again to add it.",
                    self._space,
                )


def is_of_space(name: str, space: str) -> bool:
    """Return whether a space, or the model of segments whose space is not recorded, is this one; True for ""."""
    return not name or (name == space if "/" in name else name in space.split("/"))
