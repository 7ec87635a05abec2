"""What is written is whole, where it should be, and nobody else's file is touched."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from gptviz.files import check_readable, check_writable, reason, replacing


def write(path, text="new"):
    with replacing(path) as new:
        new.write_text(text)


def listed(folder):
    return sorted(place.name for place in folder.iterdir())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "deep" / "deeper" / "file.txt"
    write(path)
    write(str(path), "newer")
    assert path.read_text() == "newer"
    assert listed(path.parent) == ["file.txt"]


def test_a_name_that_only_looks_unfinished_is_left_alone(tmp_path):
    for name in ("file.unfinished", "file.tmp", ".gptviz-x"):
        (tmp_path / name).write_text("mine")
    write(tmp_path / "file.txt")
    assert listed(tmp_path) == [".gptviz-x", "file.tmp", "file.txt", "file.unfinished"]
    assert (tmp_path / "file.unfinished").read_text() == "mine"


@pytest.mark.usefixtures("umask")
def test_a_new_file_has_what_the_umask_leaves(tmp_path):
    with replacing(tmp_path / "new") as path:
        path.unlink()
        path.touch(0o600)  # as a writer does that makes a temporary file of its own
    assert mode(tmp_path / "new") == 0o640


@pytest.mark.usefixtures("umask")
def test_a_replaced_file_keeps_its_mode(tmp_path):
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o664)
    write(tmp_path / "old")
    assert mode(tmp_path / "old") == 0o664


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_what_fails_changes_nothing(tmp_path, error):
    (tmp_path / "file").write_text("old")

    def fail():
        with replacing(tmp_path / "file") as new:
            new.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert listed(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path, there):
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert listed(tmp_path) == ["far", "link"]


def test_only_regular_files_are_replaced_or_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(tmp_path / "socket"))  # a node, as devices are; paths are short
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "round").symlink_to("round")
    cases = {
        "pipe": "it is not a regular file",
        "socket": "it is not a regular file",
        "link": "it is not a regular file",
        "folder": "it is a folder",
        "round": "Too many levels of symbolic links",
    }
    before = listed(tmp_path)
    for name, words in cases.items():
        for use in (write, check_writable, check_readable):
            with pytest.raises(OSError, match=r".") as caught:
                use(tmp_path / name)
            assert reason(caught.value) == words
    assert listed(tmp_path) == before
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)


def test_what_is_not_there_can_be_written_but_not_read(tmp_path):
    check_writable(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        check_readable(tmp_path / "none")


def test_what_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    check_readable(tmp_path / "file")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may read everything
    with pytest.raises(PermissionError, match="not readable"):
        check_readable(tmp_path / "file")


def test_a_reason_has_neither_number_nor_path(tmp_path):
    with pytest.raises(OSError, match=r".") as caught:
        (tmp_path / "none" / "file").touch()
    assert reason(caught.value) == "No such file or directory"
