"""Plans and budgets of both adapters: the same as the core's, with the options of loader, reader and segmenter."""

from pathlib import Path
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader
from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    ingest_videos,
)
from twelvelabs_core import BudgetError, FixedSegmentation, IngestionError, IngestionPlan, InputError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

TASKS = "/embed-v2/tasks"
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(6), "embedding_option": ["visual"]}
ONE_VIDEO = 6.5 / 60  # minutes: a video of 6 s, and not two


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("media")
    paths = [folder / "a.mp4", folder / "b.mp4"]
    for path, color in zip(paths, ("red", "blue"), strict=True):
        write_film(path, [Scene(color=color, seconds=6.0)], fps=5)
    return paths


@pytest.fixture
def embeddings(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbeddings:
    return TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=tmp_path / "s.sqlite3"
    )


@pytest.fixture
def embed_model(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbedding:
    return TwelveLabsEmbedding(api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=tmp_path / "s.sqlite3")


def numbers(plan: IngestionPlan) -> tuple[Any, ...]:
    return round(plan.minutes, 2), plan.vectors, plan.requests, len(plan.new), plan.upload_bytes


async def test_all_plans_are_the_same_and_are_what_the_run_does(
    videos: list[Path], embeddings: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    loader = TwelveLabsVideoLoader(videos, embeddings=embeddings, price_per_minute=2.0, **CUT)
    segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model, price_per_minute=2.0, **CUT)
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    plans = [loader.plan(), await loader.aplan(), segmenter.plan(videos), await segmenter.aplan(videos)]
    plans += [reader.plan(videos), await reader.aplan(videos)]
    assert sandbox.count() == 0
    size = sum(path.stat().st_size for path in videos)
    assert {numbers(plan) for plan in plans} == {(0.2, (2, 4), 4, 2, size)}
    assert [round(plan.price or 0, 2) for plan in plans] == [0.4] * len(plans)
    assert loader.plan(price_per_minute=4.0).price == pytest.approx(0.8, rel=0.05)
    documents = loader.load()
    assert sandbox.count("POST", TASKS) == 2
    assert numbers(loader.plan()) == (0.0, (len(documents), len(documents)), 0, 0, 0)
    assert segmenter.plan(videos[0]).stored


def test_a_budget_of_a_loader_and_of_ingest_videos_is_the_stores(
    videos: list[Path], embeddings: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    failures: list[Any] = []
    options = {"max_minutes": ONE_VIDEO, "max_tasks": 1, "on_error": failures.append, **CUT}
    documents = TwelveLabsVideoLoader(videos, embeddings=embeddings, **options).load()
    assert {document.metadata["title"] for document in documents} == {"a.mp4"}
    assert [type(failure.error) for failure in failures] == [BudgetError]
    index = VectorStoreIndex([], embed_model=embed_model)
    segmenter = TwelveLabsVideoSegmenter(embed_model=embed_model, **CUT)
    with pytest.raises(IngestionError, match="do not fit into the budget"):
        ingest_videos(index, videos, segmenter=segmenter, max_cost=ONE_VIDEO, price_per_minute=1.0)
    assert sandbox.count("POST", TASKS) == 1
    report = ingest_videos(index, videos, segmenter=segmenter, max_minutes=2 * ONE_VIDEO)
    assert (report.stored, report.unchanged) == ((str(videos[1]),), (str(videos[0]),))
    assert sandbox.count("POST", TASKS) == 2


def test_a_budget_is_no_part_of_the_identity_of_a_segmenter(embed_model: TwelveLabsEmbedding) -> None:
    plain = TwelveLabsVideoSegmenter(embed_model=embed_model, **CUT)
    limited = TwelveLabsVideoSegmenter(embed_model=embed_model, max_minutes=5, **CUT)
    assert plain.identity() == limited.identity()
    assert plain.to_dict() == limited.to_dict()
    assert limited.budget(None, None, None)["max_minutes"] == 5
    assert limited.budget(7, None, None)["max_minutes"] == 7
    for wrong in ({"max_minutes": -1}, {"max_cost": 3}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            TwelveLabsVideoSegmenter(embed_model=embed_model, **wrong)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=next(iter(wrong))):
            ingest_videos(VectorStoreIndex([], embed_model=embed_model), [], **wrong)  # type: ignore[arg-type]
