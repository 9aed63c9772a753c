"""The cache: values for a while, the least recently used thrown out first."""

import pytest

from osiris_lsp.connectors import Cache, CacheStats, ConnectorConfigError
from tests.connectors.resilience.virtual import Clock


def test_values_expire_and_old_ones_make_room() -> None:
    """Reading a value makes it young; writing it lets its time begin again."""
    clock = Clock()
    cache: Cache[int] = Cache(2, 10.0, clock=clock)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("b"), cache.get("a"), cache.get("c", 9)) == (None, 1, 3)
    clock.now += 9
    cache.put("a", 4)
    clock.now += 1
    assert (cache.get("a"), cache.get("c")) == (4, None)
    assert cache.stats() == CacheStats(
        entries=1, max_entries=2, ttl_seconds=10.0, hits=4, misses=2, expired=1
    )
    assert cache.stats().hit_rate == pytest.approx(4 / 6)
    cache.discard("a")
    cache.discard("a")
    cache.put("d", 5)
    cache.clear()
    assert cache.stats().entries == 0
    assert CacheStats(0, 1, 1.0, 0, 0).hit_rate == 0


def test_none_can_be_kept_and_odd_sizes_are_refused() -> None:
    """What was found to be nothing is an answer, too."""
    cache: Cache[int | None] = Cache()
    cache.put("a", None)
    assert cache.get("a", 1) is None
    assert (cache.stats().max_entries, cache.stats().ttl_seconds) == (500, 3600.0)
    for options in ({"max_entries": 0}, {"ttl_seconds": -1}):
        with pytest.raises(ConnectorConfigError):
            Cache(**options)  # type: ignore[arg-type]
