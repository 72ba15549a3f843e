"""Vectors of texts and images: similarity, orthogonality, and truncated vectors."""

from pathlib import Path

import numpy as np
import pytest

from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.engine.vector_space import FACET_OF, FINGERPRINT_ROWS, NAMED_ROWS, WORD_ROWS, hadamard
from twelvelabs_sandbox.engine.visual import embed_image, embed_text_and_images
from twelvelabs_sandbox.engine.vocabulary import MEANINGS
from twelvelabs_sandbox.films import COLORS, Scene, picture, save_image, write_picture

PASSAGES = (
    "The goalkeeper dives to the left and saves the penalty",
    "A chef chops onions and fries them in butter",
    "Rain is expected in the north on Tuesday evening",
    "The committee voted against the new budget",
    "Penguins huddle together through the Antarctic winter",
)


def likeness(first: str, second: str) -> float:
    return float(embed_text(first) @ embed_text(second))


@pytest.mark.parametrize(
    "text",
    ["red", "a goalkeeper dives", "?!", "the", "\u7d05\u3044\u8eca", "x" * 5000, "\U0001f3ac", "\u0130", "\ud800"],
)
def test_any_text_has_a_vector_of_length_one(text: str) -> None:
    vector = embed_text(text)
    assert vector.shape == (512,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_array_equal(vector, embed_text(text))


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_text_without_a_visible_character_is_refused(text: str) -> None:
    with pytest.raises(MediaError, match="empty") as caught:
        embed_text(text)
    assert caught.value.code == "parameter_invalid"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("red stripes", "a striped crimson scene"),
        ("White Noise", "hissing"),
        ("someone is talking", "speech"),
        ("grey", "GRAY"),
        ("moving quickly", "fast motion"),
        ("without sound", "silence"),
        ("goalkeepers diving", "the goalkeeper dives"),
    ],
)
def test_paraphrases_are_similar(first: str, second: str) -> None:
    assert likeness(first, second) > 0.9


@pytest.mark.parametrize(
    ("first", "second"),
    [("red", "blue"), ("loud", "quiet"), ("music", "stripes"), ("goalkeeper", "budget"), ("red", "onions")],
)
def test_unrelated_texts_are_nearly_orthogonal(first: str, second: str) -> None:
    assert abs(likeness(first, second)) < 0.2


def test_things_match_their_typical_appearance_and_themselves() -> None:
    assert likeness("grass", "green") > 0.5
    assert likeness("grass", "grass on the hill") > likeness("meadow", "grass on the hill")


def test_the_first_colour_has_the_largest_weight() -> None:
    assert likeness("red with a white box", "red") > likeness("red with a white box", "white") > 0.3


@pytest.mark.parametrize("place", range(len(PASSAGES)))
def test_a_few_words_find_their_passage(place: int) -> None:
    query = " ".join(PASSAGES[place].split()[1:4])
    scores = [likeness(query, passage) for passage in PASSAGES]
    assert int(np.argmax(scores)) == place


def test_words_of_scripts_without_spaces_match_inside_a_sentence() -> None:
    sentence, other = "\u8d64\u3044\u8eca\u304c\u8d70\u308b", "\u5929\u6c17\u4e88\u5831"
    assert likeness("\u8eca", sentence) > 0.2 > abs(likeness("\u8eca", other))


def test_every_word_of_the_vocabulary_names_a_known_quality() -> None:
    assert {quality for qualities in MEANINGS.values() for quality in qualities} <= set(FACET_OF)
    for word in ("red", "speech", "checkerboard", "quiet", "fast"):
        assert likeness(word, word + " " + word) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("size", [128, 256, 512])
def test_truncated_vectors_keep_named_qualities_orthogonal(size: int) -> None:
    words = ("red", "blue", "stripes", "fast", "music", "loud", "high", "dark")
    matrix = np.stack([embed_text(word)[:size] for word in words]) * np.sqrt(512 / size)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(words)), atol=1e-5)


def test_rows_of_the_space_have_one_purpose() -> None:
    rows = np.concatenate([NAMED_ROWS, FINGERPRINT_ROWS, WORD_ROWS])
    assert len(set(rows.tolist())) == len(rows)
    np.testing.assert_allclose(hadamard() @ hadamard().T, np.eye(512), atol=1e-5)
    prefix = hadamard()[np.concatenate([NAMED_ROWS, FINGERPRINT_ROWS])][:, :256]
    np.testing.assert_allclose(prefix @ prefix.T, np.eye(len(prefix)) / 2, atol=1e-5)


@pytest.mark.parametrize("color", list(COLORS))
def test_a_plain_image_is_nearest_to_the_name_of_its_colour(tmp_path: Path, color: str) -> None:
    pixels = np.full((200, 200, 3), COLORS[color], np.uint8)
    vector = embed_image(save_image(tmp_path / "plain.png", pixels))
    scores = {name: float(vector @ embed_text(name)) for name in COLORS}
    assert max(scores, key=scores.__getitem__) == color


def test_format_and_size_hardly_change_the_vector_of_an_image(tmp_path: Path) -> None:
    scene = Scene(color="green", second="black", pattern="checkerboard", grain=4.0)
    png = embed_image(write_picture(tmp_path / "a.png", scene))
    for name, size in (("a.jpg", (480, 360)), ("b.png", (960, 720)), ("c.jpg", (240, 180))):
        assert png @ embed_image(write_picture(tmp_path / name, scene, size=size)) > 0.98, name


def test_transparency_is_shown_on_white(tmp_path: Path) -> None:
    pixels = np.dstack([picture(Scene(color="red"), 1.0), np.zeros((360, 480), np.uint8)])
    vector = embed_image(save_image(tmp_path / "clear.png", pixels))
    assert vector @ embed_text("white") > vector @ embed_text("red") + 0.3


def test_text_and_images_make_one_vector(tmp_path: Path) -> None:
    red = write_picture(tmp_path / "red.png", Scene(color="red"))
    blue = write_picture(tmp_path / "blue.png", Scene(color="blue"))
    both = embed_text_and_images("loud music", [red])
    assert both @ embed_text("loud music") > 0.5
    assert both @ embed_image(red) > 0.5
    np.testing.assert_array_equal(both, embed_text_and_images("loud music", [red]))
    two = embed_text_and_images(None, [red, blue])
    assert two @ embed_image(red) == pytest.approx(float(two @ embed_image(blue)), abs=1e-5)
    assert np.linalg.norm(two) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(MediaError, match="neither"):
        embed_text_and_images(None, [])


def test_an_image_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.webp"
    path.write_bytes(b"RIFF\x10\0\0\0WEBPVP8 ....")
    with pytest.raises(MediaError, match="neither JPEG nor PNG") as caught:
        embed_image(path)
    assert caught.value.code == "parameter_invalid"
