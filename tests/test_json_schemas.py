"""Every public pydantic model has a JSON schema, as web frameworks and tool definitions request it."""

import inspect
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Literal

import pytest
from pydantic import BaseModel

import langchain_twelvelabs
import llama_index_twelvelabs
import twelvelabs_core


def models_of(package: ModuleType) -> Iterator[type[BaseModel]]:
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) and issubclass(value, BaseModel):
            yield value


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("package", [twelvelabs_core, langchain_twelvelabs, llama_index_twelvelabs])
def test_public_models_have_json_schemas(package: ModuleType, mode: Literal["validation", "serialization"]) -> None:
    models = list(models_of(package))
    assert models
    for model in models:
        schema = model.model_json_schema(mode=mode)
        assert json.dumps(schema)
        excluded = {name for name, field in model.model_fields.items() if field.exclude}
        hidden = excluded & {"segments", "found", "vector", "uncertainty"}
        assert not hidden & set(schema.get("properties", ())), model
