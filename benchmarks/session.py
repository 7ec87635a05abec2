"""A visitor without a browser: a websocket session of the app, as a browser would hold it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE = 240.0  # seconds
TOO_EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN  # another run is coming


class Session:
    """What a visitor sees of a page, and what can be done there."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._id = ""
        self._page = ClientState()
        self._shown: dict[str, tuple[str, Any]] = {}  # key: kind and proto, as last sent

    def open(self, page: str, **link: object) -> None:
        """Come to a page; "" is the first one. Nothing is waited for.

        Args:
            link: what the address says. Only a visitor's first one is read.
        """
        self._shown.clear()
        self._page = ClientState(page_name=page, query_string=urlencode(link))
        self._run()

    def move(self, key: str, number: float) -> None:
        """Move a slider, or write into a box of numbers; nothing is waited for."""
        kind, control = self._shown[key]
        moved = WidgetState(id=control.id)
        if kind == "slider":
            moved.double_array_value.data.append(number)
        elif kind == "number_input":
            moved.int_value = int(number)
        else:
            raise ValueError(f"{key} is a {kind}: a slider or a box of numbers can be moved")
        states = self._page.widget_states.widgets
        kept = [state for state in states if state.id != control.id]
        del states[:]
        states.extend([*kept, moved])
        self._run()

    def download(self, key: str) -> str:
        """Press a button that makes its file when asked; gives the file's address.

        Raises:
            RuntimeError: if the server could not make it.
        """
        file_id = self._shown[key][1].deferred_file_id
        message = BackMsg()
        request = message.backend_operation_request
        request.request_id, request.session_id = file_id, self._id
        request.deferred_file.file_id = file_id
        self._socket.send(message.SerializeToString())
        while (got := self._next()).WhichOneof("type") != "backend_operation_response":
            pass
        if got.backend_operation_response.error_msg:
            raise RuntimeError(got.backend_operation_response.error_msg)
        return got.backend_operation_response.deferred_file.url

    @property
    def downloads(self) -> list[str]:
        """The buttons on the page that make their file when asked."""
        return [key for key, (kind, _) in self._shown.items() if kind == "download_button"]

    def settle(self) -> None:
        """Wait until the last thing that was asked for is done."""
        while (got := self._next()).WhichOneof("type") != "script_finished" or (
            got.script_finished == TOO_EARLY
        ):
            pass

    def _run(self) -> None:
        self._socket.send(BackMsg(rerun_script=self._page).SerializeToString())

    def _next(self) -> ForwardMsg:
        message = ForwardMsg.FromString(self._socket.recv(PATIENCE))
        if message.WhichOneof("type") == "new_session":
            self._id = message.new_session.initialize.session_id
        if message.WhichOneof("type") == "delta":
            self._see(message.delta)
        return message

    def _see(self, delta: Delta) -> None:
        kind = delta.new_element.WhichOneof("type") or ""
        element = getattr(delta.new_element, kind, None)
        if name := getattr(element, "id", ""):
            self._shown[name.rpartition("-")[2]] = kind, element


@contextmanager
def session(address: str) -> Iterator[Session]:
    """A new visitor, who leaves at the end: as if the tab was closed, whatever still runs.

    Args:
        address: of the server, "http://127.0.0.1:8501".
    """
    stream = f"ws{address.removeprefix('http')}/_stcore/stream"
    options: dict[str, Any] = {
        "origin": Origin(address),
        "subprotocols": [Subprotocol("streamlit")],
        "max_size": None,
        "close_timeout": 0.1,  # a tab that is closed doesn't read what is still on its way
    }
    with connect(stream, **options) as socket:
        yield Session(socket)
