"""Sentences and tokens of texts, pages of PDF files, and broken files."""

import contextlib
import logging
import random
from pathlib import Path

import pytest

from tests.sandbox.pdf import write_pdf
from twelvelabs_sandbox.engine.documents import (
    count_tokens,
    first_tokens,
    page_count,
    pdf_pages,
    sentence_chunks,
    sentences,
)
from twelvelabs_sandbox.engine.types import MediaError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3.50 now. 'Go!' she expected.", ["It costs 3.50 now.", "'Go!", "she expected."]),
        ("a line\ngoes on\n\nnext", ["a line goes on", "next"]),
        ("# Title\ntext\n- one\n- two\n1. three", ["# Title", "text", "- one", "- two", "1. three"]),
        ("これはペンです。はい。", ["これはペンです。", "はい。"]),
        ("\ufeffWith a mark.\r\n\r\nEnd", ["With a mark.", "End"]),
        (" \n\n ", []),
    ],
)
def test_sentences(tmp_path: Path, text: str, found: list[str]) -> None:
    path = tmp_path / "text.md"
    path.write_bytes(text.encode())
    assert list(sentences(path)) == found


def test_a_long_text_is_read_completely_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    whole = [f"This is sentence number {number}." for number in range(20_000)]
    path.write_text(" ".join(whole))
    assert list(sentences(path)) == whole
    groups = list(sentence_chunks(path, 7, 3))
    assert groups[1] == " ".join(whole[4:11])
    assert groups[-1].endswith(whole[-1])
    assert len(groups) == 1 + -(-(20_000 - 7) // 4)


def test_files_without_text_or_sentence_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"good start\n\xff\xfe")
    with pytest.raises(MediaError, match="UTF-8"):
        list(sentences(path))
    path.write_text("word " * 20_000)
    with pytest.raises(MediaError, match="65536 characters"):
        list(sentences(path))


def test_tokens_are_words_and_punctuation() -> None:
    assert count_tokens("It's 3.50, naïve!") == 9
    assert first_tokens("one two, three", 3) == "one two,"
    assert first_tokens("one two", 2) == "one two"


def test_text_of_pdf_pages_and_quadrants(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [[(10, 190, "up"), (150, 10, "low right")], []])
    assert page_count(path) == 2
    first, second = pdf_pages(path)
    assert set(first.text.split()) == {"up", "low", "right"}
    assert (first.quadrants["top_left"], first.quadrants["bottom_right"]) == ("up", "low right")
    assert (second.number, second.text) == (2, "")


def test_a_damaged_pdf_yields_pages_or_a_media_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "pypdf")
    path = write_pdf(tmp_path / "a.pdf", [[(20, 100, "hello")], [(20, 100, "bye")]])
    good, dice = path.read_bytes(), random.Random(1)  # noqa: S311 - damage, not a secret
    outcomes = {True: 0, False: 0}
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        if dice.random() < 0.3:
            del damaged[dice.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        with contextlib.suppress(MediaError):
            outcomes[len(list(pdf_pages(path))) == page_count(path)] += 1
    assert outcomes[True] > 10
    assert outcomes[True] + outcomes[False] < 290
