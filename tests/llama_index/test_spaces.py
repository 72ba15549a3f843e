"""Vectors of two spaces are never mixed in one index; the key `space` of a node tells them apart."""

from pathlib import Path

import pytest
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode

from llama_index_twelvelabs import TwelveLabsEmbedding
from tests.llama_index.stores import make_chroma
from twelvelabs_core import InputError


def test_nodes_without_their_space_are_indexed_with_one_warning(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    store = make_chroma(tmp_path)
    for node in nodes:
        del node.metadata["space"]
    IngestionPipeline(transformations=[shared_model], vector_store=store).run(nodes=nodes)
    assert store._collection.count() == len(nodes)
    (warning,) = [record.message for record in caplog.records if "`space`" in record.message]
    assert shared_model.space in warning


@pytest.mark.parametrize("key", ["space", "model"])
def test_nodes_of_another_space_are_refused_before_one_is_written(
    key: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding, tmp_path: Path
) -> None:
    """The model decides where an earlier version did not write the space."""
    store = make_chroma(tmp_path)
    other = {"space": "marengo3.5/512", "model": "marengo3.5"}
    for node in nodes:
        node.metadata = {**node.metadata, "space": "", key: other[key]}
    with pytest.raises(InputError, match=rf"of the space {other[key]}, not sandbox/marengo3\.0/512"):
        IngestionPipeline(transformations=[shared_model], vector_store=store).run(nodes=nodes)
    assert store._collection.count() == 0
