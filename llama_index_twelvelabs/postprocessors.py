"""`MomentPostprocessor`: turns the segments that any retriever found into moments."""

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle
from pydantic import Field

from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from llama_index_twelvelabs.retrievers import hit_of, moment_nodes, query_vector
from twelvelabs_core import InputError, MomentOptions
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, client_of, finish


class MomentPostprocessor(BaseNodePostprocessor):
    """Turns the segments that a retriever found into moments, for query engines on an index of your own.

    Segments become moments as by `TwelveLabsMomentRetriever`, which also finds more candidates; other nodes are
    returned unchanged. Give the retriever a `similarity_top_k` of about ten times the moments that you want.

    Attributes:
        embed_model: The embedding whose segment store has the vectors. A query without a vector is embedded once more.
        top_n: Maximum number of results. Default 5.
        options: How search results become moments.

    Raises:
        InputError: There is no query.

    Example:
        ```python
        moments = MomentPostprocessor(embed_model=embed_model)
        engine = index.as_query_engine(similarity_top_k=50, node_postprocessors=[moments])
        ```
    """

    embed_model: TwelveLabsEmbedding
    top_n: int = Field(default=5, ge=1)
    options: MomentOptions = MomentOptions()

    @classmethod
    def class_name(cls) -> str:
        """Return the name of the class."""
        return "MomentPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return finish(self._moments(BLOCKING, nodes, query_bundle))

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return await self._moments(AWAITING, nodes, query_bundle)

    async def _moments(
        self, mode: Mode, nodes: list[NodeWithScore], query_bundle: QueryBundle | None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise InputError("MomentPostprocessor needs the query: pass query_bundle= or query_str=.")
        if not nodes:
            return []
        vector = await query_vector(mode, self.embed_model, {"text": query_bundle})
        client = await client_of(mode, self.embed_model)
        hits = [hit_of(result) for result in nodes]
        return moment_nodes(await mode.run(client.find_moments, hits, vector, k=self.top_n, options=self.options))
