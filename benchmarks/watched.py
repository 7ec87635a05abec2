"""A server of the app that writes down, ten times a second, how much memory it has.

python -m benchmarks.watched PORT CACHE_BYTES FILE    # lines of: time, resident bytes, cached bytes
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import Thread

import psutil
from streamlit.web import bootstrap

from gptviz.byte_cache import ByteCache
from gptviz.memory import shared

STEP = 0.1  # seconds


def _watch(file: Path) -> None:
    process = psutil.Process()
    with file.open("w", encoding="utf-8", buffering=1) as lines:
        while True:
            resident = process.memory_info().rss
            lines.write(f"{time.time()} {resident} {shared().nbytes}\n")
            time.sleep(STEP)


def main(port: int, cache_bytes: int, file: Path) -> None:
    """Serve until terminated."""
    assert shared.cache is not None
    shared.cache[shared.cache_key()] = ByteCache(cache_bytes)
    Thread(target=_watch, args=(file,), daemon=True).start()
    options = {"server.port": port, "server.headless": True, "logger.level": "error"}
    bootstrap.load_config_options(options)
    bootstrap.run("app.py", False, [], options)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
