"""Conversion of segments to LlamaIndex nodes and documents, and of whole videos to documents and back."""

import base64
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from llama_index.core.schema import (
    BaseNode,
    Document,
    MediaResource,
    MetadataMode,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
)
from pydantic import BaseModel, PrivateAttr

from twelvelabs_core import InputError, Media, MediaInput, SegmentRecord, readable_text
from twelvelabs_core.integration import METADATA_KEYS, SpaceCheck, readable_head_of, storable_text, unsigned_url

LLM_KEYS = frozenset({"source", "start_sec", "end_sec"})
# A page or chunk has no times; the first line of its text states its position.
LLM_UNTIMED_KEYS = frozenset({"source"})
VIDEO_KEYS = ("source", "title", "content", "version", "segmented_as")
# File dates, which must not be part of a video's identity: a changed date is not a changed video.
DATE_KEYS = frozenset({"creation_date", "last_modified_date", "last_accessed_date"})
VIDEO_PREFIX = "tl-video:"
# Keys that identify the node of a segment, without those added in later versions.
_SEGMENT_SIGNS = frozenset({"segment_id", "source", "start_sec", "end_sec", "segment_index", "embedding_option"})
# Must never change: the ids in users' stores depend on it.
_DOCUMENT_NAMESPACE = uuid.UUID("b826e8a4-1743-50e1-9077-2c7f8f42b2ed")
# The metadata of the document of whole media, and its text.
_VIDEO = re.compile(rf"^segmented_as: .*\n(?:.*\n)*?\n{re.escape(VIDEO_PREFIX)}(.*)\Z", re.MULTILINE)


class VideoDocument(Document):
    """A whole video, not embedded yet, which `TwelveLabsVideoSegmenter` converts to nodes.

    Its id depends on the video's name only, its hash on its content too, so that LlamaIndex's document stores find
    what is new, changed or removed before anything is paid for. The media itself stays in this process: a signed
    URL or bytes are neither serialized nor pickled.

    Example:
        ```python
        (document,) = TwelveLabsVideoReader().load_data("match.mp4", segment=False)
        nodes = TwelveLabsVideoSegmenter()([document])
        ```
    """

    _media: Media | None = PrivateAttr(default=None)

    @property
    def media(self) -> Media | None:
        """The media, in the process that created this document; else None."""
        return self._media

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "__pydantic_private__": {"_media": None}}


def to_video_document(
    media: Media,
    content: str,
    *,
    segmented_as: str,
    input_type: str = "video",
    extra_info: Mapping[str, Any] | None = None,
    doc_id: str | None = None,
) -> VideoDocument:
    """Return the document of a whole video or other media.

    Args:
        media: The video, audio file, document or image.
        content: The identity of its content.
        segmented_as: The identity of the segmentation options: other options are a change, too.
        input_type: `video`, `audio`, `document` or `image`.
        extra_info: Additional metadata, also for the nodes of its segments.
        doc_id: Its id. Default: derived from its name, so that it stays the same when the content changes.
    """
    extra = {name: value for name, value in extra_metadata(extra_info).items() if name not in DATE_KEYS}
    own = {"source": media.source, "title": media.title, "content": content, "segmented_as": segmented_as}
    if media.version is not None:
        own["version"] = media.version
    text = VIDEO_PREFIX + media.source
    resource = resource_of(media)
    resources = (
        # LlamaIndex has no resource for documents but that of their text.
        {"text_resource": resource.model_copy(update={"text": text})}
        if input_type == "document"
        else {"text_resource": MediaResource(text=text), f"{input_type}_resource": resource}
    )
    fields: dict[str, Any] = {
        "id_": document_id(media.source) if doc_id is None else doc_id,
        "metadata": {**extra, **own},
        **resources,
    }
    document = VideoDocument(**fields)
    document._media = media  # noqa: SLF001  # of a class in this file
    return document


def resource_of(media: Media) -> MediaResource:
    """Return the location of the media, without what must not be serialized."""
    if media.path is not None:
        if storable_text(str(media.path)) == str(media.path):
            return MediaResource(path=media.path)
        # LlamaIndex hashes and serializes a path as UTF-8, which such a file name is not.
        return MediaResource.model_validate({"url": media.path.absolute().as_uri()})
    if media.asset_id is not None:
        return MediaResource.model_validate({"url": f"asset:{media.asset_id}"})
    if media.url is not None and unsigned_url(media.url) == media.url:
        return MediaResource.model_validate({"url": media.url})
    return MediaResource()


def media_of(node: BaseNode, kinds: Sequence[str] = ("video",)) -> Media | None:
    """Return the media that a node represents as a whole, or None for any other node.

    Raises:
        InputError: It is not available in this process.
    """
    resource = next((found for kind in kinds if (found := _resource(node, kind)) is not None), None)
    if resource is None:
        return None
    if isinstance(node, VideoDocument) and node.media is not None:
        return node.media
    value: MediaInput | None = resource.path
    if resource.url is not None:
        value = str(resource.url)
    elif resource.data is not None:
        value = base64.b64decode(resource.data)
    if not value:
        raise InputError(
            f"the document of {node.metadata.get('source', node.node_id)} has no media: signed URLs, bytes and "
            "open files stay in the process that read them. Use ingest_videos, or run without num_workers."
        )
    return Media.of(value, source=node.metadata.get("source"), version=node.metadata.get("version"))


def _resource(node: BaseNode, kind: str) -> MediaResource | None:
    found: MediaResource | None = getattr(node, f"{'text' if kind == 'document' else kind}_resource", None)
    if kind != "document" or found is None:
        return found
    # Only texts read by TwelveLabsDocumentReader are embedded by a task.
    is_ours = (found.text or "").startswith(VIDEO_PREFIX)
    others = (getattr(node, f"{name}_resource", None) for name in ("video", "audio", "image"))
    return found if is_ours and not any(others) else None


def to_node(record: SegmentRecord, document: BaseNode) -> TextNode:
    """Return the node of a segment, with its vector; its source is the document of the whole video."""
    source = RelatedNodeInfo(
        node_id=document.node_id,
        # Without its metadata, which would be repeated in every segment.
        node_type=document.get_type(),
        hash=document.hash,
    )
    fields = node_fields(record, inherited(document), hidden=document.excluded_llm_metadata_keys)
    return TextNode(relationships={NodeRelationship.SOURCE: source}, **fields)


def to_document(record: SegmentRecord, extra_info: Mapping[str, Any] | None = None) -> Document:
    """Return the document of a segment with its vector; `VectorStoreIndex.from_documents` does not embed it again."""
    return Document(**node_fields(record, extra_metadata(extra_info)))


def node_fields(record: SegmentRecord, extra: Mapping[str, Any], hidden: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a segment's node or document; language models are not shown the `hidden` keys."""
    shown = LLM_KEYS if record.metadata["end_sec"] else LLM_UNTIMED_KEYS
    return {
        "id_": record.segment_id,
        "text": record.text(with_reference=False),
        "embedding": record.vector.tolist(),
        "metadata": {**extra, **record.metadata},
        # The embedding finds the stored vector by segment_id where a store returned the node without its vector.
        "excluded_embed_metadata_keys": [name for name in (*extra, *record.metadata) if name != "segment_id"],
        "excluded_llm_metadata_keys": [*(name for name in record.metadata if name not in shown), *hidden],
    }


def inherited(document: BaseNode) -> dict[str, Any]:
    """Return the metadata that the segments of a video take from its document."""
    return {name: value for name, value in document.metadata.items() if name not in VIDEO_KEYS}


def extra_metadata(extra_info: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return additional metadata; a key that segments use gets the prefix `extra_`.

    File names that are not UTF-8, as `SimpleDirectoryReader` adds them, are escaped as in `source`.
    """
    taken = {*METADATA_KEYS, *VIDEO_KEYS}
    return {
        f"extra_{name}" if name in taken else name: storable_text(value) if isinstance(value, str) else value
        for name, value in (extra_info or {}).items()
    }


def document_id(source: str) -> str:
    """Return the id of a video's document: a UUID of its name, not of its content."""
    return str(uuid.uuid5(_DOCUMENT_NAMESPACE, source))


def keep_segment_ids(index: int, document: BaseNode) -> str:
    """Return a node's id for a node parser: the same for a segment, a new one for any other node.

    A node parser after the segmenter treats segments as documents and gives them new ids; a store that replaces by
    id would then keep them twice.

    Example:
        ```python
        IngestionPipeline(
            transformations=[TwelveLabsVideoSegmenter(), SentenceSplitter(id_func=keep_segment_ids), embed_model]
        )
        ```
    """
    segment_id = document.metadata.get("segment_id")
    return str(uuid.uuid4()) if segment_id is None or index > 0 else str(segment_id)


def has_vector(node: BaseNode) -> bool:
    """Return whether a node is that of a segment and has its vector.

    Raises:
        InputError: It is a part of a segment's node.
    """
    _check_whole(node)
    return node.embedding is not None and "segment_id" in node.metadata


def check_spaces(nodes: Sequence[BaseNode], space: str) -> None:
    """Refuse segments whose vectors are not comparable with those of a space.

    Raises:
        InputError: The vector of a segment is of another space.
    """
    SpaceCheck(space)(node.metadata for node in nodes if node.embedding is not None and "segment_id" in node.metadata)


def is_segment(node: BaseNode) -> bool:
    """Return whether a node is that of a whole segment, whatever its text, which the caller may have changed."""
    return set(node.metadata) >= _SEGMENT_SIGNS and node.node_id == node.metadata["segment_id"]


def _check_whole(node: BaseNode) -> None:
    """Refuse a chunk that a node parser made of a segment: it has the metadata and vector, but another id, no head."""
    if not set(node.metadata) >= _SEGMENT_SIGNS or is_segment(node):
        return
    text = node.get_content(MetadataMode.NONE)
    if readable_head_of(node.metadata) not in readable_text(text):
        raise InputError(
            f"{text[:80]!r} is a chunk of a segment's node, which a node parser has split. Parse your texts in a "
            "separate pipeline, give the parser a larger chunk_size, or segment without include_transcript."
        )


def check_no_video(texts: Sequence[str]) -> None:
    """Refuse the text of a document of whole media, which its own metadata shows.

    Raises:
        InputError: It is one.
    """
    for index, text in enumerate(texts):
        found = _VIDEO.search(text) if isinstance(text, str) and VIDEO_PREFIX in text else None
        if found and f"source: {found[1]}\n" in text:
            raise InputError(
                f"texts[{index}]: {text[:80]!r} is the document of a whole video, not segmented yet: make "
                "TwelveLabsVideoSegmenter the first transformation, or load it with segment=True."
            )


class PickledFully:
    """Makes a component pickle with all its fields.

    LlamaIndex removes fields that cannot be pickled, also from the original object; a worker would then use another
    segment store than the given one.
    """

    def __getstate__(self) -> dict[Any, Any]:
        return BaseModel.__getstate__(cast("BaseModel", self))

    def __setstate__(self, state: dict[Any, Any]) -> None:
        BaseModel.__setstate__(cast("BaseModel", self), state)
