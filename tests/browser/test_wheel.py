"""The wheel: alone in an environment, called from a folder that has nothing to do with it."""

from __future__ import annotations

import socket
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlparse
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from playwright.sync_api import expect

from gptviz.ui.pages import PAGES

# What a stranger's project may say; none of it is to reach gptviz.
STRANGE = """
[server]
address = "0.0.0.0"
allowedHosts = ["*"]
[client]
showSidebarNavigation = true
[theme.light]
primaryColor = "#ff0000"
"""


def run(folder: Path, *command: object) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """A folder with the sdist and the wheel of the source."""
    folder = tmp_path_factory.mktemp("built")
    run(root, sys.executable, "-m", "hatchling", "build", "--directory", folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built, tmp_path_factory):
    """The wheel as it is made of the sdist, which is all that a package index may have."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation"]
    run(folder, *pip, *built.glob("*.tar.gz"))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """The scripts of an environment that has this wheel and sees what it depends on, no more.

    A folder that a .pth file names doesn't have its own .pth files read: an editable install of
    gptviz stays unseen.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    scripts = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--no-index"]
    run(folder, *pip, "--no-deps", wheel)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    found = run(folder, scripts / "python", "-c", "import gptviz; print(gptviz.__file__)")
    assert Path(found) == packages / "gptviz" / "__init__.py"
    return scripts


@pytest.fixture(scope="module")
def installed(environment, serving, tmp_path_factory):
    """The address of ``gptviz app``, called in somebody else's Streamlit project."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / ".streamlit").mkdir()
    (elsewhere / ".streamlit" / "config.toml").write_text(STRANGE)
    with serving(elsewhere, str(environment / "gptviz"), "app") as address:
        yield address


@pytest.mark.parametrize(("script", "name"), [(page.path, page.name) for page in PAGES])
def test_every_page_runs(script, name, visit, installed):
    path = "/" if script == "app.py" else f"/{Path(script).stem}"
    page = visit(path, server=installed)
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_test_id("stPageLink")).to_have_count(len(PAGES))
    expect(page.locator(".st-key-n_layers")).to_have_count(1)


def test_its_own_configuration_holds(visit, installed):
    page = visit("/", server=installed)
    colour = "e => getComputedStyle(e).getPropertyValue('--st-primary-color')"
    assert page.locator(".stage").first.evaluate(colour) == "#3b6fe0"
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
    with socket.socket() as door:  # it listens on 127.0.0.1, not wherever this machine is reached
        assert door.connect_ex(("127.0.0.2", urlparse(installed).port)) != 0


def test_the_sdist_holds_all_that_the_wheel_is_made_of(wheel, built):
    (of_the_source,) = built.glob("*.whl")
    assert contents(wheel) == contents(of_the_source)


def contents(wheel: Path) -> dict[str, int]:
    with ZipFile(wheel) as files:
        return {file.filename: file.CRC for file in files.infolist()}


def test_what_an_installer_is_told(environment, root):
    (packages,) = environment.parent.glob("lib/*/site-packages")
    (told,) = distributions(name="gptviz", path=[str(packages)])
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = {Requirement(line.split(" #")[0]) for line in lines if not line.startswith("#")}
    assert {Requirement(line) for line in told.requires} == wanted
    assert Requirement("torch==2.13.0") in wanted
    assert told.metadata["License-Expression"] == "MIT"
    assert told.read_text("licenses/LICENSE") == (root / "LICENSE").read_text(encoding="utf-8")
    assert told.metadata["Description-Content-Type"] == "text/markdown"
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert told.metadata.get_payload().strip() == readme.strip()
