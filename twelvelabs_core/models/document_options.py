"""The options of document and image tasks, validated against the pairs of option and scope that exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Self

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.models.marengo import ASSET, LOCAL, Model, model_of
from twelvelabs_core.models.options import check_flag, chosen
from twelvelabs_core.models.segmentation import Paged, Segmentation, SequentialSegmentation, SpatialSegmentation
from twelvelabs_core.models.segmentation import as_segmentation as read_segmentation

DocumentKind = Literal["pdf", "text"]
DOCUMENT_MODEL = "marengo3.5"

_NAMES = {"pdf": "a PDF", "text": "a text or Markdown file", None: "a document"}

# Reference, AsyncDocumentInputRequest: every pair that is asked for must be in its file's column.
PAIRS: Mapping[DocumentKind, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "pdf": (("visual", LOCAL), ("visual", ASSET), ("text", ASSET)),
        "text": (("text", ASSET), ("text", LOCAL)),
    }
)
_DEFAULT_OPTION: Mapping[DocumentKind, str] = MappingProxyType({"pdf": "visual", "text": "text"})


@dataclass(frozen=True, slots=True)
class DocumentOptions:
    """How to embed a document: checked, with the API's defaults filled in.

    Everything is sent explicitly, so that a later change of a default at the server changes no vector.
    """

    segmentation: Paged | None
    embedding_option: tuple[str, ...]
    embedding_scope: tuple[str, ...]
    embedding_uncertainty: bool = False
    model: str = DOCUMENT_MODEL
    input_type: Literal["document"] = "document"

    @classmethod
    def of(
        cls,
        kind: DocumentKind | None,
        *,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        model: str = DOCUMENT_MODEL,
    ) -> Self:
        """Return checked options.

        Args:
            kind: `pdf` or `text` (text and Markdown); None where it is unknown, as for an asset.
            segmentation: `SpatialSegmentation` of a PDF, `SequentialSegmentation` of text. Default: whole pages; for
                text none, which scope `local` needs.
            embedding_option: `visual`, `text`. Default: `visual` for a PDF, `text` for text.
            embedding_scope: `local` (each page or chunk), `asset` (the whole). Default: what fits option and
                segmentation: `local` for pages, and for text where a segmentation is given; else `asset`.
            embedding_type: Only `separate_embedding`.
            embedding_uncertainty: Only for chunks of text.
            model: The name of the model.

        Raises:
            InputError: An unknown option, or a pair of option and scope that this kind of file does not take.
        """
        rules = model_of(model)
        rules.rules("document")
        check_flag("embedding_uncertainty", embedding_uncertainty, rules)
        chosen("embedding_type", embedding_type, rules, "document", default=())
        paged = None if segmentation is None else _paged(segmentation)
        options = chosen("embedding_option", embedding_option, rules, "document", default=())
        scopes = chosen("embedding_scope", embedding_scope, rules, "document", default=())
        kind = kind or _kind_by_options(paged, options, scopes)
        options = options or (_DEFAULT_OPTION[kind],)
        scopes = scopes or _default_scopes(kind, paged, options)
        _check_pairs(kind, options, scopes)
        _check_segmentation(kind, paged, scopes)
        if embedding_uncertainty and (kind == "pdf" or scopes != (LOCAL,)):
            raise InputError(
                f"embedding_uncertainty of documents is for text or Markdown files with embedding_scope ['local'], "
                f"got {_NAMES[kind]} with {list(scopes)}."
            )
        if paged is None and kind == "pdf" and LOCAL in scopes:
            paged = SpatialSegmentation()
        return cls(paged, options, scopes, embedding_uncertainty, model)

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""
        paged = {} if self.segmentation is None else {"segmentation": self._segmentation_to_wire(self.segmentation)}
        return {**paged, "embedding_option": list(self.embedding_option), "embedding_scope": list(self.embedding_scope)}

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the result, for the key of the paid work."""
        return {
            "input_type": self.input_type,
            "segmentation": None if self.segmentation is None else self._segmentation_to_wire(self.segmentation),
            "embedding_option": sorted(self.embedding_option),
            "embedding_scope": sorted(self.embedding_scope),
            **({"embedding_uncertainty": True} if self.embedding_uncertainty else {}),
        }

    @staticmethod
    def _segmentation_to_wire(paged: Paged) -> dict[str, Any]:
        return {paged.kind: paged.to_wire()}


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How to embed an image by a task: one visual vector of the whole, with its uncertainty if wanted."""

    embedding_uncertainty: bool = False
    model: str = DOCUMENT_MODEL
    input_type: Literal["image"] = "image"

    @classmethod
    def of(
        cls,
        *,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        model: str = DOCUMENT_MODEL,
    ) -> Self:
        """Return checked options.

        Raises:
            InputError: Anything but `visual`, `asset`, `separate_embedding`; or a model without image tasks.
        """
        rules: Model = model_of(model)
        rules.rules("image")
        check_flag("embedding_uncertainty", embedding_uncertainty, rules)
        for name, given in (
            ("embedding_option", embedding_option),
            ("embedding_scope", embedding_scope),
            ("embedding_type", embedding_type),
        ):
            chosen(name, given, rules, "image", default=())
        return cls(embedding_uncertainty, model)

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""
        return {"embedding_option": ["visual"], "embedding_scope": [ASSET], "embedding_type": ["separate_embedding"]}

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the result, for the key of the paid work."""
        return {
            "input_type": self.input_type,
            "embedding_option": ["visual"],
            "embedding_scope": [ASSET],
            **({"embedding_uncertainty": True} if self.embedding_uncertainty else {}),
        }


def _paged(given: Segmentation) -> Paged:
    paged = read_segmentation(given)
    if not isinstance(paged, (SpatialSegmentation, SequentialSegmentation)):
        raise InputError(f"{paged.kind} segmentation is for audio and video; documents take spatial or sequential.")
    return paged


def _kind_by_options(paged: Paged | None, options: tuple[str, ...], scopes: tuple[str, ...]) -> DocumentKind:
    """Return the kind of an unknown document, from options that apply to one kind only."""
    if isinstance(paged, SpatialSegmentation) or "visual" in options:
        return "pdf"
    if isinstance(paged, SequentialSegmentation) or options == ("text",):
        return "text"
    raise InputError(
        "cannot determine whether this document is a PDF or text: pass embedding_option=['visual'] (pages of a PDF) or "
        f"['text']{'' if scopes else ', and embedding_scope'}."
    )


def _default_scopes(kind: DocumentKind, paged: Paged | None, options: tuple[str, ...]) -> tuple[str, ...]:
    if kind == "text":
        return (ASSET,) if paged is None else (LOCAL,)
    return (ASSET,) if "text" in options else (LOCAL,)


def _check_pairs(kind: DocumentKind, options: tuple[str, ...], scopes: tuple[str, ...]) -> None:
    for option in options:
        for scope in scopes:
            if (option, scope) not in PAIRS[kind]:
                allowed = ", ".join(f"{one} x {other}" for one, other in PAIRS[kind])
                raise InputError(
                    f"{_NAMES[kind]} has no vectors of embedding_option {option!r} with embedding_scope {scope!r}; "
                    f"each pair must be among: {allowed}."
                )


def _check_segmentation(kind: DocumentKind, paged: Paged | None, scopes: tuple[str, ...]) -> None:
    fitting = SpatialSegmentation if kind == "pdf" else SequentialSegmentation
    if paged is not None and not isinstance(paged, fitting):
        raise InputError(f"{paged.kind} segmentation does not apply to {_NAMES[kind]}; it takes {fitting.kind}.")
    if paged is not None and LOCAL not in scopes:
        raise InputError(f"{paged.kind} segmentation needs embedding_scope 'local', got {list(scopes)}.")
    if paged is None and kind == "text" and LOCAL in scopes:
        raise InputError(
            "embedding_scope 'local' of a text or Markdown file needs segmentation=SequentialSegmentation(n)."
        )
