"""The process that is killed: loads all videos through the LangChain loader into Qdrant, and leaves what it said.

``python -m tests.chaos.worker config.json``; the key comes by the environment, as users give it.
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
    """Run once; what happened is in the folders that the configuration names."""
    config = json.loads(Path(config_path).read_text())
    said = Path(config["said"])
    _log_everything(said / "log.txt")
    if config.get("plant"):
        _plant(config, said)
        return
    outcome: dict[str, Any] = {"failures": []}
    try:
        outcome["added"] = _run(config, said)
    except IngestionError as error:
        report(error, said)
        outcome["failures"] = [[one.source, one.reason, one.task_id] for one in error.failures]
        for one in error.failures:
            report(one.error, said)
    except TwelveLabsError as error:
        report(error, said)
        outcome["ended_by"] = f"{type(error).__name__}: {error}"
    (said / "outcome.json").write_text(json.dumps(outcome))


def _run(config: dict[str, Any], said: Path) -> int:
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
        (said / "ready").touch()
        try:
            return len(add_segments(store, loader.lazy_load(), batch_size=16))
        finally:
            if config["search"]:
                _search(store, said)
    finally:
        client.close()


def _search(store: QdrantVectorStore, said: Path) -> None:
    """Leave what a search gives: it is what a tool hands to a language model."""
    found = store.similarity_search("red stripes", k=100)
    (said / "search.txt").write_text("\n".join(f"{one!r} {one.model_dump_json()}" for one in found))


def report(error: Exception, said: Path) -> None:
    """Write down an error in every form in which people and programs meet it."""
    with (said / "errors.txt").open("a") as file:
        file.write(f"MESSAGE {error}\nREPR {error!r}\nTRACEBACK {''.join(traceback.format_exception(error))}\n")
    with (said / "errors.pickle").open("ab") as binary:
        binary.write(pickle.dumps(error))
    logging.getLogger("tests.chaos").error("the run ended", exc_info=error)


def _log_everything(path: Path) -> None:
    """Every logger at DEBUG into a file, each line there before the next is begun."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "twelvelabs_core", "sqlalchemy.engine", "qdrant_client"):
        logging.getLogger(name).setLevel(logging.DEBUG)


def _plant(config: dict[str, Any], said: Path) -> None:
    """Let a secret out into every channel, to prove that it would be found there."""
    secret = config["plant"]
    logging.getLogger("httpx").debug("sent %s", secret)
    sys.stderr.write(f"sent {secret}\n")
    report(ConfigurationError(f"sent {secret}"), said)
    (said / "search.txt").write_text(f"found {secret}")
    with SegmentStore(config["store"]) as store:
        plain = {"space": "s", "content": "c", "model": "m", "source": secret, "account": "a"}
        store.put_intent("planted", params={"start_sec": 1.0}, **plain)
    client = QdrantClient(path=config["qdrant"])
    client.create_collection(COLLECTION, VectorParams(size=2, distance=Distance.DOT))
    client.upsert(COLLECTION, [PointStruct(id=1, vector=[0.0, 1.0], payload={"source": secret})])
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
