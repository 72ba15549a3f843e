"""Transcription and user metadata of an asset."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.sandbox.api import connect, settled, upload
from twelvelabs_sandbox import Fault, Sandbox
from twelvelabs_sandbox.films import Scene, write_film
from twelvelabs_sandbox.state.assets import Assets

UNKNOWN = "6298d673f1090f1100476d4c"
SCENE = Scene(color="red", seconds=8.0)
CAPTIONS = [(0.0, 2.0, "A goalkeeper dives. The"), (2.0, 3.0, "audience roars!"), (6.0, 7.0, "Half time")]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with sentences across captions and a pause before the last."""
    path = tmp_path_factory.mktemp("talk") / "talk.mkv"
    write_film(path, [SCENE], fps=5, captions=CAPTIONS)
    return path


def entries_of(entries: list[dict[str, Any]]) -> list[tuple[float, float, str]]:
    return [(entry["start"], entry["end"], entry["value"]) for entry in entries]


def test_captions_are_words_sentences_and_utterances(api: httpx.Client, talk: Path) -> None:
    path = f"/assets/{upload(api, talk)}/transcription"
    words = api.get(path).json()
    assert words.keys() == {"status", "words"}
    assert words["status"] == "ready"
    assert " ".join(word["value"] for word in words["words"]) == " ".join(text for _, _, text in CAPTIONS)
    ends = [word["end"] for word in words["words"]]
    assert ends == sorted(ends)
    assert words["words"][1] == {"start": 0.1, "end": 1.1, "value": "goalkeeper"}
    both = api.get(f"{path}?include=sentences,utterances").json()
    assert both == api.get(f"{path}?include=utterances&include=sentences").json()
    assert entries_of(both["sentences"]) == [
        (0.0, 1.7, "A goalkeeper dives."),
        (1.7, 3.0, "The audience roars!"),
        (6.0, 7.0, "Half time"),
    ]
    assert entries_of(both["utterances"]) == [
        (0.0, 3.0, "A goalkeeper dives. The audience roars!"),
        (6.0, 7.0, "Half time"),
    ]
    assert {entry["speaker"] for entry in both["utterances"]} == {"speaker_0"}


def test_chapter_titles_are_transcribed_without_captions(api: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "chapters.mp4"
    write_film(path, [SCENE], fps=5, chapters=[(0.0, 4.0, "Kick off"), (4.0, 8.0, "Red card")])
    found = api.get(f"/assets/{upload(api, path)}/transcription?include=sentences").json()
    assert entries_of(found["sentences"]) == [(0.0, 8.0, "Kick off Red card")]


def test_a_video_without_captions_has_an_empty_transcription(api: httpx.Client, video_file: Path) -> None:
    assert api.get(f"/assets/{upload(api, video_file)}/transcription").json() == {"status": "ready", "words": []}


def test_media_without_audio_have_no_transcription(api: httpx.Client, media: Path) -> None:
    assets = [upload(api, media / name) for name in ("silent.mp4", "picture.jpg")]
    for asset in (*assets, UNKNOWN):
        answer = api.get(f"/assets/{asset}/transcription")
        assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_exist")
    assert "has no transcription" in api.get(f"/assets/{assets[0]}/transcription").json()["message"]
    assert api.get(f"/assets/{assets[0]}/transcription?include=letters").status_code == 400


def test_the_transcription_has_the_status_of_its_asset(talk: Path) -> None:
    with Sandbox(asset_seconds=60) as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(asset="failed", skip=1))
        made = []
        for _ in range(2):
            with talk.open("rb") as file:
                made.append(api.post("/assets", data={"method": "direct"}, files={"file": file}).json()["_id"])
        assert [api.get(f"/assets/{asset}/transcription").json() for asset in made] == [{"status": "processing"}] * 2
        sandbox.clock.advance(60)
        for asset in made:
            settled(api, f"/assets/{asset}")
        good, bad = (api.get(f"/assets/{asset}/transcription").json() for asset in made)
        assert (good["status"], bad["status"]) == ("ready", "failed")
        assert bad["error"]["message"]


def test_metadata_are_merged_replaced_and_deleted(api: httpx.Client, picture: Path) -> None:
    asset = upload(api, picture, user_metadata='{"team": "red", "goals": 2}')
    path = f"/assets/{asset}/user-metadata"

    def after(method: str, metadata: dict[str, Any] | None = None) -> Any:
        answer = api.request(method, path, json=None if metadata is None else {"user_metadata": metadata})
        assert (answer.status_code, answer.content) == (204, b"")
        return api.get(f"/assets/{asset}").json().get("user_metadata")

    assert after("PATCH", {"goals": None, "tags": ["a"], "team": "", "won": True, "none": None}) == {
        "team": "red",
        "tags": ["a"],
        "won": True,
    }
    assert after("PATCH", {"tags": []}) == {"team": "red", "tags": ["a"], "won": True}
    assert after("PUT", {"year": 2026, "team": None, "city": "", "tags": []}) == {"year": 2026}
    assert after("PUT", {}) is None
    assert after("PATCH", {"a": "b"}) == {"a": "b"}
    assert after("DELETE") is None


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "user_metadata"),
        ({"user_metadata": []}, "must be a JSON object, not []"),
        ({"user_metadata": {"a": {}}}, "'a'"),
        ({"user_metadata": {"a": [1]}}, "'a'"),
        ({"a": 1}, "a."),
    ],
)
def test_invalid_metadata_are_refused(api: httpx.Client, picture: Path, method: str, body: Any, expected: str) -> None:
    answer = api.request(method, f"/assets/{upload(api, picture)}/user-metadata", json=body)
    assert answer.status_code == 400
    assert expected in answer.json()["message"]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_metadata_of_unknown_assets_are_not_found(api: httpx.Client, method: str) -> None:
    answer = api.request(method, f"/assets/{UNKNOWN}/user-metadata", json={"user_metadata": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_exist")


async def test_the_checksum_of_a_file_deleted_while_read_is_the_stored_one(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(b"video")
    asset = SimpleNamespace(sha256=None, path=path, method="multipart", settled=False, error=None)

    class Workers:
        async def run_request(self, function: Any, *arguments: Any) -> Any:
            asset.sha256 = "noted"
            path.unlink()  # as the end of a failed asset does
            return function(*arguments)

    assert await Assets.checksum(SimpleNamespace(_workers=Workers()), asset) == "noted"  # type: ignore[arg-type]
