from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.base.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """A tiny web site with our scripts on it."""
    site = Site()
    yield site
    site.close()
