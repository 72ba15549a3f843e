"""Texts that are too long for a model beyond doubt, refused before one of a batch is sent.

The limits are in tokens, which only the vendor's tokenizer can count. Two bounds hold for every tokenizer in use:

- none joins words across white space, so a text has at least as many tokens as words;
- the longest entry of the published vocabularies stands for 128 characters (a run of one sign), so a text has at least
  one token for 128 characters that are not white space.

A text above either bound is refused. One below may still be too long (English has some 4 characters a token): then
marengo3.5 answers with a 400, or cuts with `auto_truncate`; what marengo3.0 does is not documented.
"""

from twelvelabs_core._errors import InputError
from twelvelabs_core._models import Model

TOKEN_MAX_CHARACTERS = 128


def check_length(text: str, model: Model, what: str = "text", *, auto_truncate: bool = False) -> str:
    """Return the text; refuse one that no tokenizer could fit into the model's limit.

    Args:
        text: Any text.
        model: Whose limit holds.
        what: What to call it in the message.
        auto_truncate: Whether the API was asked to cut it.

    Raises:
        InputError: It is too long, with the limit and the least number of tokens that it has.
    """
    least = least_tokens(text)
    if auto_truncate or least <= model.text_max_tokens:
        return text
    raise InputError(
        f"{what} has {len(text):,} characters, at least {least:,} tokens; {model.name} takes "
        f"{model.text_max_tokens:,} tokens. {_advice(model, least)}"
    )


def least_tokens(text: str) -> int:
    """Return a number of tokens that the text has at least, whatever the tokenizer."""
    words = text.split()
    characters = sum(map(len, words))
    return max(len(words), -(-characters // TOKEN_MAX_CHARACTERS))


def _advice(model: Model, least: int) -> str:
    if "auto_truncate" in model.extras:
        return "Split it, or pass auto_truncate=True to have it cut."
    hint = model.hint(lambda other: other.text_max_tokens >= least)
    return f"Split it{', or use a model that takes more' + hint if hint else ''}."
