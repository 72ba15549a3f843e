"""A segment as a LangChain `Document`, and as a language model should read it."""

from typing import Any

from langchain_core.documents import Document
from langchain_core.prompts import PromptTemplate

from twelvelabs_core import InputError, SegmentRecord, readable_text


def to_document(record: SegmentRecord) -> Document:
    """Return the document of a segment; its text names the stored vector, its id is the segment's."""
    return Document(id=record.segment_id, page_content=record.text(with_reference=True), metadata=dict(record.metadata))


def segment_id_of(document: Document) -> str:
    """Return the id of a segment's document; from its metadata where a vector store gave it back without one.

    Raises:
        InputError: The document has none.
    """
    identity = document.id or document.metadata.get("segment_id")
    if not identity:
        raise InputError(
            f"the document {document.page_content[:80]!r} has no id, so that it cannot be found again; pass the "
            "documents of TwelveLabsVideoLoader or its kin as they are."
        )
    return str(identity)


class SegmentPromptTemplate(PromptTemplate):
    """A prompt that shows segments to a language model in plain words: `match.mp4, 0:12.5-0:18.0, visual`.

    The reference line is left out, and an answer that quotes the segment can be embedded like any other text. Other
    documents are shown as they are. The template may use `{page_content}` and any metadata key that all documents have.

    Example:
        ```python
        prompt = SegmentPromptTemplate.from_template("[{start_sec}-{end_sec} s of {source}] {page_content}")
        tool = create_retriever_tool(retriever, "search_videos", "Find moments.", document_prompt=prompt)
        ```
    """

    def format(self, **kwargs: Any) -> str:
        """Return the template filled in, `page_content` in plain words."""
        if isinstance(kwargs.get("page_content"), str):
            kwargs["page_content"] = readable_text(kwargs["page_content"])
        return super().format(**kwargs)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return False: loaded from JSON, it would come back as a plain prompt that shows the reference line."""
        return False


document_prompt = SegmentPromptTemplate.from_template("{page_content}")
"""For `create_retriever_tool(document_prompt=...)` and `create_stuff_documents_chain(document_prompt=...)`."""


def index_kwargs() -> dict[str, Any]:
    """Return the arguments with which `langchain_core.indexing.index` keeps segments up to date.

    A second run of unchanged videos then creates no task and writes nothing; a changed video's old segments are
    deleted. Never use `cleanup="incremental"`: with more than `batch_size` segments of one video it deletes and writes
    some of them anew on every run.

    Returns:
        `cleanup`, `source_id_key` and `key_encoder`.

    Example:
        ```python
        index(loader, record_manager, vector_store, **index_kwargs())
        ```
    """
    return {"cleanup": "scoped_full", "source_id_key": "source", "key_encoder": segment_id_of}
