"""One vector for a whole clip: how to ask for it, and how to take it out of the answer. Pure."""

from typing import Any

from twelvelabs_core import APIResponseError, Segments

FUSED = "fused"


def one_vector(embedding_option: str) -> dict[str, Any]:
    """Return the arguments that ask for exactly one vector of the whole clip."""
    if embedding_option == FUSED:
        return {"embedding_type": ["fused_embedding"], "embedding_scope": ["asset"]}
    return {"embedding_option": [embedding_option], "embedding_scope": ["asset"]}


def take_one(segments: Segments, embedding_option: str) -> list[float]:
    """Return the vector that was asked for.

    Raises:
        APIResponseError: It is not there.
    """
    found = segments.select(embedding_option=embedding_option, embedding_scope="asset")
    if not len(found):
        raise APIResponseError(
            f"the API answered without a vector for embedding_option {embedding_option!r}: nothing to "
            f"{'hear' if embedding_option == 'audio' else 'embed'} in it? Choose another embedding_option."
        )
    return found.vectors[0].tolist()  # type: ignore[no-any-return]  # numpy types tolist as Any
