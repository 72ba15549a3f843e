"""How a component goes to another process: whole, or not at all."""

from typing import Any, cast

from pydantic import BaseModel


class TravelsWhole:
    """Makes a component pickle with all its fields.

    LlamaIndex's own way drops what cannot be pickled, from the living object too, and a worker goes on without it: with
    another segment store, say, than the one that was asked for.
    """

    def __getstate__(self) -> dict[Any, Any]:
        return BaseModel.__getstate__(cast("BaseModel", self))

    def __setstate__(self, state: dict[Any, Any]) -> None:
        BaseModel.__setstate__(cast("BaseModel", self), state)
