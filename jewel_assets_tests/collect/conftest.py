import pytest

from jewel_assets.settings import settings


@pytest.fixture(autouse=True)
def loopback_is_listed(monkeypatch: pytest.MonkeyPatch) -> object:
    """The operator of the tests trusts the fakes on this machine, and nothing else within it."""
    monkeypatch.setenv("JEWEL_PRIVATE_HOSTS", "127.0.0.1, localhost")
    settings.cache_clear()
    yield
    settings.cache_clear()
