"""The rules of each model: what is refused before a request, and which model the message suggests."""

from typing import Any

import pytest

from twelvelabs_core import (
    AsyncClient,
    Client,
    DynamicSegmentation,
    FixedSegmentation,
    InputError,
    SegmentOptions,
    SequentialSegmentation,
)
from twelvelabs_core.models.marengo import model_of

NEW, OLD = "marengo3.5", "marengo3.0"
TEXTS = [{"start": 0, "end": 2, "text": "kick-off"}]


def options(model: str, kind: Any = "video", **changes: Any) -> SegmentOptions:
    return SegmentOptions.of(kind, model=model, **changes)


@pytest.mark.parametrize("cls", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("model", "given", "space"),
    [
        (OLD, None, "marengo3.0/512"),
        (OLD, 512, "marengo3.0/512"),
        (NEW, None, "marengo3.5/512"),
        (NEW, 128, "marengo3.5/128"),
        (NEW, 256, "marengo3.5/256"),
    ],
)
def test_each_model_and_dimension_has_its_own_space(cls: Any, model: str, given: int | None, space: str) -> None:
    client = cls("tlk_key", model=model, embedding_dimension=given, store=":memory:")
    assert client.space == space
    assert client.embedding_dimension == int(space.rpartition("/")[2])
    sandbox = cls("tlk_sandbox_key", base_url="http://127.0.0.1:1", model=model, embedding_dimension=given)
    assert sandbox.space == f"sandbox/{space}"


@pytest.mark.parametrize("given", [256, 128, 1024, 0, -512, 512.5, "512", True])
@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_unsupported_dimension_is_refused_with_a_model_that_supports_it(cls: Any, given: Any) -> None:
    with pytest.raises(InputError, match=r"embedding_dimension of marengo3\.0 must be 512; got") as caught:
        cls("tlk_key", embedding_dimension=given)
    assert ("marengo3.5" in str(caught.value)) == (given in (256, 128) and given is not True)
    if given not in (256, 128):
        with pytest.raises(InputError, match="one of 128, 256, 512"):
            cls("tlk_key", model=NEW, embedding_dimension=given)


@pytest.mark.parametrize("name", ["marengo2.7", "", None, ["marengo3.0"]])
def test_unknown_model_is_refused_with_the_known_models(name: Any) -> None:
    with pytest.raises(InputError, match=r"marengo3\.0, marengo3\.5; got"):
        model_of(name)


@pytest.mark.parametrize(
    ("model", "kind", "change", "message"),
    [
        (
            NEW,
            "video",
            {"embedding_option": ["transcription"]},
            r"visual, audio; got 'transcription' with marengo3\.5.*'marengo3\.0'",
        ),
        (NEW, "audio", {"embedding_option": ["visual"]}, r"must be among audio; got 'visual' with marengo3\.5\."),
        (
            OLD,
            "video",
            {"embedding_scope": ["local"]},
            r"clip, asset; got 'local' with marengo3\.0.*model='marengo3\.5'",
        ),
        (NEW, "video", {"embedding_scope": ["page"]}, r"clip, local, asset.*'page'"),
        (OLD, "audio", {"segmentation": DynamicSegmentation()}, r"fixed with marengo3\.0.*dynamic.*'marengo3\.5'"),
        (OLD, "video", {"segmentation": {"spatial": {"strategy": "standard"}}}, "spatial.*documents"),
        (NEW, "audio", {"segmentation": {"spatial": {"strategy": "standard"}}}, "spatial.*documents"),
        (OLD, "video", {"embedding_uncertainty": True}, r"marengo3\.0 does not take embedding_uncertainty.*3\.5"),
        (OLD, "video", {"time_based_metadata": TEXTS}, r"does not take time_based_metadata.*3\.5"),
        (OLD, "document", {}, r"audio or video, got 'document'.*model='marengo3\.5'"),
        (NEW, "text", {}, r"audio, video, document or image, got 'text'\."),
        (NEW, "video", {"embedding_type": ["fused_embedding"]}, r"fused_embedding of marengo3\.5 needs time_based"),
        (NEW, "video", {"time_based_metadata": TEXTS}, "add fused_embedding"),
        (NEW, "audio", {"embedding_type": ["fused_embedding"], "time_based_metadata": TEXTS}, "two or more"),
        (NEW, "video", {"embedding_uncertainty": True, "embedding_scope": ["clip", "asset"]}, r"\['clip'\] alone"),
        (NEW, "video", {"embedding_uncertainty": 1}, "True or False, got 1"),
    ],
)
def test_unsupported_option_is_refused_with_a_model_that_supports_it(
    model: str, kind: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        options(model, kind, **change)


@pytest.mark.parametrize(
    "texts",
    [
        "kick-off", {"start": 0}, [{}], ["kick-off"], [{"start": 0, "end": 1}],
        [{"start": 2, "end": 1, "text": "x"}], [{"start": -1, "end": 1, "text": "x"}],
        [{"start": 0, "end": True, "text": "x"}], [{"start": 0, "end": "1", "text": "x"}],
        [{"start": 0, "end": 1, "text": " "}], [{"start": 0, "end": 1, "text": None}],
        [{"start": 0, "end": 1, "text": "x", "more": 1}], [{"start": float("nan"), "end": 1, "text": "x"}],
        [{"start": 0, "end": float("inf"), "text": "x"}],
    ],
)  # fmt: skip
def test_invalid_timed_texts_are_refused(texts: Any) -> None:
    with pytest.raises(InputError, match="time_based_metadata"):
        options(NEW, time_based_metadata=texts, embedding_type=["fused_embedding"])


def test_timed_text_without_duration_is_accepted() -> None:
    fused = options(
        NEW, time_based_metadata=[{"start": 3, "end": 3, "text": "goal"}], embedding_type=["fused_embedding"]
    )
    assert fused.to_wire()["time_based_metadata"] == [{"start": 3.0, "end": 3.0, "text": "goal"}]


def test_a_whole_number_may_be_a_float() -> None:
    for segmentation in (FixedSegmentation(5.0), DynamicSegmentation(2.0), SequentialSegmentation(8.0, 2.0)):  # type: ignore[arg-type]
        assert not any(isinstance(getattr(segmentation, name), float) for name in type(segmentation).__slots__)
    flat = {"strategy": "fixed", "fixed": {"duration_sec": 5.0}}
    assert options(OLD, segmentation=flat).identity() == options(OLD, segmentation=FixedSegmentation(5)).identity()
    with pytest.raises(InputError, match=r"duration_sec of fixed segmentation must be a whole number .*, got 2\.5"):
        FixedSegmentation(2.5)  # type: ignore[arg-type]


def test_a_dimension_may_be_a_float() -> None:
    dimension = model_of(NEW).dimension(256.0)  # type: ignore[arg-type]
    assert (dimension, type(dimension)) == (256, int)


def test_each_model_has_its_defaults_and_wire_format() -> None:
    assert options(OLD).to_wire()["segmentation"] == {"strategy": "dynamic", "dynamic": {"min_duration_sec": 4}}
    assert options(OLD, "audio").to_wire()["segmentation"] == {"strategy": "fixed", "fixed": {"duration_sec": 6}}
    for kind, wanted in (("audio", ["audio"]), ("video", ["visual", "audio"])):
        wire = options(NEW, kind).to_wire()
        assert wire["segmentation"] == {"temporal": {"strategy": "dynamic", "dynamic": {"min_duration_sec": 2}}}
        assert (wire["embedding_option"], wire["embedding_scope"]) == (wanted, ["clip", "asset"])


@pytest.mark.parametrize(
    "spelling",
    [
        FixedSegmentation(5),
        {"strategy": "fixed", "fixed": {"duration_sec": 5}},
        {"temporal": {"strategy": "fixed", "fixed": {"duration_sec": 5}}},
    ],
)
def test_same_options_work_with_both_models(spelling: Any) -> None:
    flat = {"strategy": "fixed", "fixed": {"duration_sec": 5}}
    assert options(OLD, segmentation=spelling).to_wire()["segmentation"] == flat
    assert options(NEW, segmentation=spelling).to_wire()["segmentation"] == {"temporal": flat}


def test_local_is_an_alias_of_clip() -> None:
    assert options(NEW, embedding_scope=["local"]) == options(NEW, embedding_scope=["clip"])
    assert options(NEW, embedding_scope=["asset", "local", "clip"]) == options(NEW)


def test_uncertainty_is_for_clips_and_is_separate_work() -> None:
    unsure = options(NEW, embedding_uncertainty=True)
    assert unsure.embedding_scope == ("clip",)
    assert unsure.identity() != options(NEW, embedding_scope=["clip"]).identity()


def test_duration_is_not_refused_when_the_limit_is_unknown() -> None:
    assert options(NEW, start_sec=20_000, end_sec=30_000).to_wire()["end_sec"] == 30_000.0
    with pytest.raises(InputError, match="end_sec"):
        options(OLD, end_sec=30_000)
    with pytest.raises(InputError, match="start_sec must be a number of seconds from 0, got inf"):
        options(NEW, start_sec=float("inf"))
