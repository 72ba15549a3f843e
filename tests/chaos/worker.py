"""The process that is killed: loads all videos through the LangChain loader into Qdrant and saves its output.

``python -m tests.chaos.worker config.json``; the API key comes from the environment.
"""

import json
import logging
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

from langchain_qdrant import QdrantVectorStore
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from twelvelabs_core import ConfigurationError, FixedSegmentation, IngestionError, SegmentStore, TwelveLabsError

COLLECTION = "moments"
OPTIONS = ("visual", "audio")
SEGMENTATION = FixedSegmentation(3)


def main(config_path: str) -> None:
    """Run once, and write all output into the folders named in the configuration."""
    config = json.loads(Path(config_path).read_text())
    output = Path(config["output"])
    _log_everything(output / "log.txt")
    if config.get("plant"):
        _plant(config, output)
        return
    outcome: dict[str, Any] = {"failures": []}
    try:
        outcome["added"] = _run(config, output)
    except IngestionError as error:
        report(error, output)
        outcome["failures"] = [[one.source, one.reason, one.task_id] for one in error.failures]
        for one in error.failures:
            report(one.error, output)
    except TwelveLabsError as error:
        report(error, output)
        outcome["ended_by"] = f"{type(error).__name__}: {error}"
    (output / "outcome.json").write_text(json.dumps(outcome))


def _run(config: dict[str, Any], output: Path) -> int:
    embeddings = TwelveLabsEmbeddings(
        base_url=config["base_url"],
        segment_store=config["store"],
        max_concurrency=config["max_concurrency"],
        timeout=config["silence"],
    )
    client = QdrantClient(path=config["qdrant"])
    try:
        if not client.collection_exists(COLLECTION):
            client.create_collection(COLLECTION, VectorParams(size=512, distance=Distance.COSINE))
        store = QdrantVectorStore(client, COLLECTION, embedding=embeddings, validate_collection_config=False)
        loader = TwelveLabsVideoLoader(
            config["videos"],
            embeddings=embeddings,
            segmentation=SEGMENTATION,
            embedding_option=OPTIONS,
            timeout=config["timeout"],
            show_progress=True,
        )
        (output / "ready").touch()
        try:
            return len(add_segments(store, loader.lazy_load(), batch_size=16))
        finally:
            if config["search"]:
                _search(store, output)
    finally:
        client.close()


def _search(store: QdrantVectorStore, output: Path) -> None:
    """Save the result of a search, as a tool would pass it to a language model."""
    found = store.similarity_search("red stripes", k=100)
    (output / "search.txt").write_text("\n".join(f"{one!r} {one.model_dump_json()}" for one in found))


def report(error: Exception, output: Path) -> None:
    """Write an error in every form in which it may be shown or serialised."""
    with (output / "errors.txt").open("a") as file:
        file.write(f"MESSAGE {error}\nREPR {error!r}\nTRACEBACK {''.join(traceback.format_exception(error))}\n")
    with (output / "errors.pickle").open("ab") as binary:
        binary.write(pickle.dumps(error))
    logging.getLogger("tests.chaos").error("the run ended", exc_info=error)


def _log_everything(path: Path) -> None:
    """Log everything at DEBUG into a file, flushed line by line."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "twelvelabs_core", "sqlalchemy.engine", "qdrant_client"):
        logging.getLogger(name).setLevel(logging.DEBUG)


def _plant(config: dict[str, Any], output: Path) -> None:
    """Write a secret into every channel, to prove that a leak there would be found."""
    secret = config["plant"]
    logging.getLogger("httpx").debug("sent %s", secret)
    sys.stderr.write(f"sent {secret}\n")
    report(ConfigurationError(f"sent {secret}"), output)
    (output / "search.txt").write_text(f"found {secret}")
    with SegmentStore(config["store"]) as store:
        plain = {"space": "s", "content": "c", "model": "m", "source": secret, "account": "a"}
        store.put_intent("planted", params={"start_sec": 1.0}, **plain)
    client = QdrantClient(path=config["qdrant"])
    client.create_collection(COLLECTION, VectorParams(size=2, distance=Distance.DOT))
    client.upsert(COLLECTION, [PointStruct(id=1, vector=[0.0, 1.0], payload={"source": secret})])
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
