"""What all tests share: shapes are checked while they run, and nothing reaches the network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch
from jaxtyping import install_import_hook

ROOT = Path(__file__).parents[1]

# Every module that writes down shapes has them checked at every call. The others answer wrong types
# in their own words, or name types that they import only when they need torch.
SHAPED = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for file in (ROOT / "gptviz").rglob("*.py")
    if "from jaxtyping import" in file.read_text(encoding="utf-8")
]
install_import_hook(SHAPED, "beartype.beartype")

# Models this small only wait for a second thread: on a busy machine, two hundred times as long.
torch.set_num_threads(1)

LOCAL = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test reach further than this machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise AssertionError(f"a test wants to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
