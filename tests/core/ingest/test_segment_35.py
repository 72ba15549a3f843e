"""Audio and video tasks of Marengo 3.5: segments, timed texts, uncertainty and separate vector spaces."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface
from twelvelabs_core import AsyncClient, Client, DynamicSegmentation, FixedSegmentation, InputError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

TASKS = "/embed-v2/tasks"
NEW = "marengo3.5"
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_scope": ["local"]}


@pytest.fixture
def new(connect: Connect) -> Surface:
    return connect(model=NEW)


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


async def test_marengo35_video_has_no_transcription_vectors(new: Surface, video_path: Path) -> None:
    found = await new.segment_video(video_path)
    assert {s.embedding_option for s in found.segments} == {"visual", "audio"}
    assert {s.embedding_scope for s in found.segments} == {"clip", "asset"}
    assert (found.model, found.space) == (NEW, "sandbox/marengo3.5/512")
    task = await new.tasks.retrieve(found.task_id)
    assert task.usage is not None
    assert task.usage.input_tokens["video"] > 0


async def test_local_and_clip_scope_are_the_same_work(new: Surface, video_path: Path, sandbox: Sandbox) -> None:
    local = await new.segment_video(video_path, **CUT)
    assert [(s.start_sec, s.embedding_scope) for s in local.segments.select(embedding_option="visual")] == [
        (0, "clip"),
        (4, "clip"),
    ]
    assert (await new.segment_video(video_path, **{**CUT, "embedding_scope": ["clip"]})).reused
    assert paid(sandbox) == 1


async def test_audio_is_segmented_at_changes(new: Surface, sound: Path) -> None:
    found = await new.segment_audio(sound, segmentation=DynamicSegmentation(2), embedding_scope=["clip"])
    assert {s.embedding_option for s in found.segments} == {"audio"}
    assert found.segments[0].end_sec == pytest.approx(4, abs=0.6)


async def test_each_model_and_length_is_paid_for_and_kept_apart(
    connect: Connect, video_path: Path, sandbox: Sandbox
) -> None:
    options = {"embedding_option": ["visual"], "embedding_scope": ["clip"], "segmentation": FixedSegmentation(4)}
    clients = [
        connect(),
        connect(model=NEW),
        connect(model=NEW, embedding_dimension=256),
    ]
    found = [await client.segment_video(video_path, **options) for client in clients]
    assert paid(sandbox) == 3
    assert sandbox.count("POST", "/assets") == 1
    assert [one.segments.dimension for one in found] == [512, 512, 256]
    assert np.allclose(found[2].segments.vectors, found[1].segments.vectors[:, :256], atol=1e-6)
    records = [await client.register(one) for client, one in zip(clients, found, strict=True)]
    assert len({record.segment_id for part in records for record in part}) == 6
    for client, part in zip(clients[1:], records, strict=False):
        with pytest.raises(InputError, match="not comparable"):
            await client.find_vectors([part[0].segment_id])


async def test_timed_texts_change_only_fused_vectors(new: Surface, video_path: Path, sandbox: Sandbox) -> None:
    def timed_text(text: str) -> dict[str, Any]:
        entry = {"start": 4.5, "end": 7.0, "text": text}
        return {"time_based_metadata": [entry], "embedding_type": ["separate_embedding", "fused_embedding"], **CUT}

    goal, again = (
        await new.segment_video(video_path, **timed_text("a goal")),
        await new.segment_video(video_path, **timed_text("a goal")),
    )
    other = await new.segment_video(video_path, **timed_text("green stripes moving fast"))
    assert again.reused
    assert paid(sandbox) == 2
    differ = {
        (a.start_sec, a.embedding_option)
        for a, b in zip(goal.segments, other.segments, strict=True)
        if not np.allclose(a.vector, b.vector, atol=1e-6)
    }
    assert differ == {(4, "fused")}
    ids = [{r.segment_id: r.metadata["embedding_option"] for r in one.records()} for one in (goal, other)]
    assert {ids[0][i] for i in set(ids[0]) - set(ids[1])} == {"fused"}


async def test_uncertainty_is_stored_and_is_separate_work(new: Surface, video_path: Path, sandbox: Sandbox) -> None:
    unsure = await new.segment_video(video_path, segmentation=FixedSegmentation(4), embedding_uncertainty=True)
    assert unsure.segments.uncertainty is not None
    assert unsure.segments.uncertainty.shape == unsure.segments.vectors.shape
    again = await new.segment_video(video_path, segmentation=FixedSegmentation(4), embedding_uncertainty=True)
    assert again.reused
    assert again.segments == unsure.segments
    plain = await new.segment_video(video_path, **CUT)
    assert plain.segments.uncertainty is None
    assert np.allclose(plain.segments.vectors, unsure.segments.vectors)
    assert paid(sandbox) == 2


async def test_text_query_finds_the_matching_segment(connect: Connect, tmp_path: Path) -> None:
    scenes = [
        Scene(color="red", pattern="stripes", motion="fast", seconds=4.0),
        Scene(color="blue", seconds=4.0),
        Scene(color="green", seconds=4.0),
    ]
    write_film(tmp_path / "video.mp4", scenes, fps=5)
    client = connect(model=NEW, embedding_dimension=256)
    found = (await client.segment_video(tmp_path / "video.mp4", embedding_option=["visual"], **CUT)).segments
    for words, start in (("red stripes moving fast", 0), ("plain blue", 4), ("plain green", 8)):
        query = (await client.embed_text(words)).vector
        assert found[int((found.vectors @ query).argmax())].start_sec == start


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_a_pickled_client_keeps_its_space(cls: Any, tmp_path: Path) -> None:
    client = cls("tlk_key", model=NEW, embedding_dimension=256, store=tmp_path / "s.sqlite3")
    copy = pickle.loads(pickle.dumps(client))  # noqa: S301  # made a moment ago
    assert (copy.space, copy.model, copy.embedding_dimension) == ("marengo3.5/256", NEW, 256)
