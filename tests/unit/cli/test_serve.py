from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.error import URLError

import pytest

import gptviz as package


@pytest.fixture
def started(monkeypatch):
    """What would have been started, as the words of a command line."""
    found = []
    monkeypatch.setattr(sys, "argv", ["gptviz"])
    monkeypatch.setattr("runpy.run_module", lambda name, **_: found.append([name, *sys.argv[1:]]))
    return found


def test_streamlit_runs_the_app_beside_the_package(gptviz, started, root):
    assert gptviz("app").exit_code == 0
    assert gptviz("app", "--port", 8600, "--headless").exit_code == 0
    plain = ["streamlit", "run", str(root / "app.py")]
    assert started == [plain, [*plain, "--server.port", "8600", "--server.headless", "true"]]


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package that stands in an empty folder, as if it had been installed there."""
    folder = tmp_path / "gptviz"
    folder.mkdir()
    monkeypatch.setattr(package, "__file__", str(folder / "__init__.py"))
    return folder


def make_app(folder):
    (folder / "pages").mkdir(parents=True)
    (folder / "app.py").touch()
    return folder / "app.py"


def test_a_wheel_has_the_app_inside_whatever_stands_beside_it(gptviz, installed, started):
    make_app(installed.parent)
    script = make_app(installed / "app")
    assert gptviz("app").exit_code == 0
    assert started == [["streamlit", "run", str(script)]]


def test_a_package_without_its_app_says_what_to_do(refused, installed, started):
    words = ["this copy of gptviz has no app", "Install gptviz again with pip", "make run"]
    refused("app", words=words)
    (installed.parent / "app.py").touch()
    refused("app", words=words)  # somebody else's app.py
    assert not started


@pytest.mark.parametrize("port", [0, -1, 65536, "x"])
def test_no_such_port(refused, started, port):
    refused("app", "--port", port, words=["--port"])
    assert not started


def test_it_really_serves_from_any_folder(root, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gptviz.cli", "app", "--port", str(port), "--headless"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _answers(f"http://127.0.0.1:{port}/_stcore/health", server)
    finally:
        server.terminate()
        server.wait(30)


def _answers(address, server):
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.status == 200
        except URLError:
            assert server.poll() is None, "it ended by itself"
            time.sleep(0.1)
    return False
