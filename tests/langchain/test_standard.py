"""LangChain's standard test classes, against the sandbox over HTTP."""

import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from langchain_twelvelabs import TwelveLabsEmbeddings
from twelvelabs_sandbox import Sandbox


class TestUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[TwelveLabsEmbeddings]:
        return TwelveLabsEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, str]:
        return {"api_key": "tlk_made_up"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        environment = {"TWELVELABS_API_KEY": "tlk_one", "TWELVELABS_BASE_URL": "https://example.com/v1.3"}
        return environment, {}, {"api_key": "tlk_one", "base_url": "https://example.com/v1.3", "model": "marengo3.0"}


class TestIntegration(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def environment(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
        monkeypatch.setenv("TWELVELABS_BASE_URL", sandbox.base_url)

    @property
    def embeddings_class(self) -> type[TwelveLabsEmbeddings]:
        return TwelveLabsEmbeddings
