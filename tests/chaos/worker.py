"""The process that is killed: embeds all media in one of the ways of `callers` into Qdrant and saves its output.

``python -m tests.chaos.worker config.json``; the API key comes from the environment.
"""

import json
import logging
import os
import pickle
import random
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

from tests.chaos.callers import CALLERS, Job
from tests.chaos.media import DOCUMENTS, VIDEOS
from twelvelabs_core import (
    ConfigurationError,
    FixedSegmentation,
    IngestionError,
    InputError,
    SegmentStore,
    TwelveLabsError,
)
from twelvelabs_core.store import owners

TESTS = str(Path(__file__).parents[1])
SILENT_AFTER_SEC = 10.0  # a process that was killed during a create is replaced within one calm run


def main(config_path: str) -> None:
    """Run once, and write all output into the folders named in the configuration."""
    config = json.loads(Path(config_path).read_text())
    owners.SILENT_AFTER_SEC = SILENT_AFTER_SEC
    output = Path(config["output"])
    _log_everything(output / "log.txt")
    if config["api_key"]:
        os.environ["TWELVELABS_API_KEY"] = config["api_key"]
    if config["plant"]:
        _plant(config, output)
        return
    outcome: dict[str, Any] = {"failures": []}
    client = QdrantClient(path=config["qdrant"])
    try:
        jobs = list(CALLERS[config["caller"]](config, client))
        random.Random(config["seed"]).shuffle(jobs)  # noqa: S311  # so that each is sometimes the first
        (output / "ready").touch()
        for job in jobs:
            _do(job, outcome, output)
        if config["search"]:
            _search(client, output)
    finally:
        client.close()
    (output / "outcome.json").write_text(json.dumps(outcome))


def _do(job: Job, outcome: dict[str, Any], output: Path) -> None:
    """Do one job; add what went wrong to the outcome."""
    try:
        job()
    except IngestionError as error:
        report(error, output)
        outcome["failures"] += [[one.source, one.reason, one.task_id] for one in error.failures]
        for one in error.failures:
            report(one.error, output)
    except TwelveLabsError as error:
        report(error, output)
        outcome["ended_by"] = f"{type(error).__name__}: {error}"


def _search(client: QdrantClient, output: Path) -> None:
    """Save what is stored, as a tool would pass it to a language model."""
    found = [point for name in (VIDEOS, DOCUMENTS) for point in client.scroll(name, limit=100)[0]]
    (output / "search.txt").write_text("\n".join(f"{one!r} {one.model_dump_json()}" for one in found))


def report(error: Exception, output: Path) -> None:
    """Write an error in every form in which it may be shown or serialised."""
    with (output / "errors.txt").open("a") as file:
        file.write(f"MESSAGE {error}\nREPR {error!r}\nTRACEBACK {''.join(traceback.format_exception(error))}\n")
    with (output / "errors.pickle").open("ab") as binary:
        binary.write(pickle.dumps(error))
    with (output / "locals.txt").open("a") as file:
        file.writelines(
            f"{line}\n" for line in _locals(traceback.TracebackException.from_exception(error, capture_locals=True))
        )
    logging.getLogger("tests.chaos").error("the run ended", exc_info=error)


def _locals(shown: traceback.TracebackException | None) -> Iterator[str]:
    """Yield the locals of every frame but the harness's, as error trackers record them."""
    if shown is not None:
        for frame in shown.stack:
            if not frame.filename.startswith(TESTS):
                found = (frame.locals or {}).items()
                yield from (f"{frame.filename}:{frame.lineno} {name}={value}" for name, value in found)
        yield from _locals(shown.__cause__)
        yield from _locals(shown.__context__)


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
    try:
        FixedSegmentation(secret)  # type: ignore[arg-type]  # a frame of the core has it among its locals
    except InputError as error:
        report(error, output)
    (output / "search.txt").write_text(f"found {secret}")
    with SegmentStore(config["store"]) as store:
        plain = {"space": "s", "content": "c", "model": "m", "source": secret, "account": "a"}
        store.put_intent("planted", params={"start_sec": 1.0}, **plain)
    client = QdrantClient(path=config["qdrant"])
    client.create_collection(VIDEOS, VectorParams(size=2, distance=Distance.DOT))
    client.upsert(VIDEOS, [PointStruct(id=1, vector=[0.0, 1.0], payload={"source": secret})])
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
