"""Fixtures of the tests of resources."""

import pytest

from tests.core.surface import Surface


@pytest.fixture
def old(client: Surface) -> Surface:
    """The legacy v1 resource of the client."""
    found: Surface = client.legacy_v1
    return found
