"""Waiting for many tasks costs few requests and comes no later: the benchmark of it, with fewer tasks.

Requests and the moment at which a task was ready are the sandbox's own count, the time is virtual.
"""

from pathlib import Path

import pytest

from benchmarks.waiting import PEERS_GAP, measure
from twelvelabs_sandbox.films import Scene, write_sound


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("waiting") / "sound.wav"
    write_sound(path, [Scene(sound="tone", seconds=4.5)], rate=8000)
    return path


async def test_one_list_answers_for_all_who_wait(sound: Path) -> None:
    each, delay = await measure(80, sound, is_ours=True)
    each_alone, delay_alone = await measure(4, sound, is_ours=False)
    assert 0 < delay_alone < PEERS_GAP  # the other way is what it is said to be
    assert each_alone >= 10 * each  # a thousand tasks: twenty times; the fewer they are, the fewer share a list
    assert 0 < delay <= 0.7 * PEERS_GAP  # at random moments the other way is late by a half of its gap
