"""`SegmentPromptTemplate`: formats segments for a language model."""

from typing import Any

from langchain_core.prompts import PromptTemplate

from twelvelabs_core import readable_text


class SegmentPromptTemplate(PromptTemplate):
    """A prompt that shows segments to a language model as readable lines: `match.mp4, 0:12.5-0:18.0, visual`.

    The reference line is omitted, so that an answer that quotes the segment can be embedded like any other text. Other
    documents are unchanged. The template may use `{page_content}` and any metadata key that all documents have.

    Example:
        ```python
        prompt = SegmentPromptTemplate.from_template("[{start_sec}-{end_sec} s of {source}] {page_content}")
        tool = create_retriever_tool(retriever, "search_videos", "Find moments.", document_prompt=prompt)
        ```
    """

    def format(self, **kwargs: Any) -> str:
        """Return the formatted template, with a readable `page_content`."""
        if isinstance(kwargs.get("page_content"), str):
            kwargs["page_content"] = readable_text(kwargs["page_content"])
        return super().format(**kwargs)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return False: loaded from JSON, it would become a plain prompt that shows the reference line."""
        return False


document_prompt = SegmentPromptTemplate.from_template("{page_content}")
"""For `create_retriever_tool(document_prompt=...)` and `create_stuff_documents_chain(document_prompt=...)`."""
