"""Files on disk: read only what is a plain file, and write so that nobody's file is lost.

Messages are in plain words, for the caller to put the file's name before them: "it is a folder".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

AnyPath = str | os.PathLike[str]


def check_readable(path: AnyPath) -> None:
    """Refuse what can't be read as a file, without opening it: a named pipe would wait for ever.

    Raises:
        OSError: if there is nothing, or it is no regular file, or reading it isn't allowed.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise FileNotFoundError("there is no such file") from None
    _check_regular(status)
    if not os.access(path, os.R_OK):
        raise PermissionError("it is not readable: you have no right to read it")


def check_writable(path: AnyPath) -> None:
    """Refuse what can't be replaced by a file. Where nothing is, there is nothing to refuse.

    Raises:
        OSError: if there is something that is no regular file.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return
    _check_regular(status)


@contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """A path to write a new file to; it takes the place of ``path`` once the block is through.

    Until then, and if the block fails, the old file stays as it was. The new one has the old
    one's mode, or else what the umask leaves. Where ``path`` is a symbolic link, the link stays
    and what it leads to is replaced. Folders that are missing are made.

    Raises:
        OSError: if the file can't be written, or ``path`` is no regular file.
    """
    target = Path(os.path.realpath(path))
    check_writable(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own, beside the target: no name in it is anybody else's.
    with TemporaryDirectory(dir=target.parent, prefix=".gptviz-") as folder:
        new = Path(folder, target.name)
        new.touch()  # as the umask has it, whatever mode its writer chooses
        mode = stat.S_IMODE((target if target.exists() else new).stat().st_mode)
        yield new
        new.chmod(mode)
        os.replace(new, target)


def reason(error: BaseException) -> str:
    """Why something failed, in short: an ``OSError`` without its number and the path."""
    return getattr(error, "strerror", None) or str(error)


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError("it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
