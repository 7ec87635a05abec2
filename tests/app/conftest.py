"""The app without a browser: a page is opened, a control moved, and the page read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from gptviz.memory import shared
from gptviz.ui.shell import warm as warming

# A model that is made in no time, for tests that are about something else.
SMALL = {
    "model": "custom",
    "vocab_size": "1000",
    "context_length": "32",
    "emb_dim": "48",
    "n_heads": "4",
    "n_layers": "3",
}


class Page:
    """One visitor's window; every step fails the test if the page shows an exception."""

    def __init__(self, app: AppTest) -> None:
        self.app = app

    def run(self) -> Page:
        self.app.run()
        return self._checked()

    def go(self, path: str) -> Page:
        """Choose another page in the menu."""
        self.app.switch_page(path)
        return self.run()

    def set(self, key: str, value: Any) -> Page:
        self._control(key).set_value(value)
        return self.run()

    def press(self, label: str) -> Page:
        next(button for button in self.app.button if button.label == label).click()
        return self.run()

    def click(self, component: str, event: str, value: Any) -> Page:
        """Send what the browser sends after a click in a component; AppTest has no click there."""
        trigger = _make_trigger_id(self._component(component).id, "events")
        states = self.app._tree.get_widget_states()
        clicks = json.dumps([{"event": event, "value": value}])
        states.widgets.append(WidgetState(id=trigger, json_trigger_value=clicks))
        self.app._run(states)
        return self._checked()

    def value(self, key: str) -> Any:
        return self._control(key).value

    def has(self, key: str) -> bool:
        return any(key == getattr(element, "key", None) for element in self.app.sidebar)

    @property
    def link(self) -> dict[str, str]:
        return dict(parse_qsl(self.sent("browser_address")["query"], keep_blank_values=True))

    @property
    def buttons(self) -> list[str]:
        return [button.label for button in self.app.button]

    @property
    def offers(self) -> list[str]:
        """The buttons in the sidebar."""
        return [button.label for button in self.app.sidebar.button]

    @property
    def toasts(self) -> list[str]:
        return [toast.value for toast in self.app.toast]

    @property
    def said(self) -> str:
        """All notes, warnings and errors."""
        kinds = (self.app.info, self.app.warning, self.app.error)
        return "\n".join(each.value for kind in kinds for each in kind)

    @property
    def heading(self) -> str:
        """The line below the title: the model, its parameters, the number of tokens."""
        return next(element.value for element in self.app.main if element.type == "caption")

    @property
    def parameters(self) -> int:
        return int(self._in_heading(r"([\d,]+) parameters").replace(",", ""))

    @property
    def n_tokens(self) -> int:
        return int(self._in_heading(r"([\d,]+) tokens?").replace(",", ""))

    @property
    def words(self) -> str:
        """All text in the middle of the page; the cells of a table's row stand between bars."""
        tables = [table.value.to_csv(sep="|") for table in self.app.table]
        texts = [str(getattr(element, "value", "")) for element in self.app.main]
        return "\n".join(texts + tables)

    @property
    def words_aside(self) -> str:
        """All text in the sidebar."""
        return "\n".join(str(getattr(element, "value", "")) for element in self.app.sidebar)

    def sent(self, component: str) -> dict[str, Any]:
        """The data a component was given."""
        proto = self._component(component)
        return dict(json.loads(proto.json or proto.mixed.json))

    def figures(self) -> list[dict[str, Any]]:
        return [json.loads(chart.proto.spec) for chart in self.app.get("plotly_chart")]

    def _in_heading(self, pattern: str) -> str:
        found = re.search(pattern, self.heading)
        assert found, self.heading
        return found[1]

    def _component(self, key: str) -> Any:
        protos = [node.proto for node in self.app.get("bidi_component")]
        return next(proto for proto in protos if proto.id.endswith(f"-{key}"))

    def _control(self, key: str) -> Any:
        kinds = "selectbox slider select_slider number_input toggle text_area segmented_control"
        for kind in kinds.split():
            for widget in getattr(self.app, kind):
                if widget.key == key:
                    return widget
        raise AssertionError(f"there is no control {key!r} on the page")

    def _checked(self) -> Page:
        shown = [error.message for error in self.app.exception]
        assert not shown, shown
        return self


def numbers(encoded: Any) -> np.ndarray:
    """An array as plotly writes it into a figure's JSON."""
    if isinstance(encoded, list):
        return np.array(encoded, dtype=np.float64)
    flat = np.frombuffer(base64.b64decode(encoded["bdata"]), dtype=encoded["dtype"])
    return flat.reshape([int(n) for n in encoded.get("shape", str(flat.size)).split(",")])


Visit = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def warm() -> None:
    """Wait for what a server does in its first seconds, so that every test finds the same."""
    warming.warm_up()
    assert warming.WARM.wait(120)
    shared()


@pytest.fixture
def visit(root) -> Visit:
    """``visit(path, **link)``: a new visitor opens a page by a link."""

    def open_page(path: str = "app.py", **link: str) -> Page:
        app = AppTest.from_file(str(root / "app.py"), default_timeout=120)
        for key, value in link.items():
            app.query_params[key] = value
        if path != "app.py":
            app.switch_page(path)
        return Page(app).run()

    return open_page


@pytest.fixture
def small(visit) -> Visit:
    """``visit`` with a small model of one's own."""
    return lambda path="app.py", **link: visit(path, **{**SMALL, **link})


@pytest.fixture
def free_memory(monkeypatch) -> Callable[[int], None]:
    """``free_memory(n_bytes)``: from now on the machine has this much to give, the cache's too."""

    def set_free(n_bytes: int) -> None:
        answer = SimpleNamespace(available=n_bytes - shared().nbytes)
        monkeypatch.setattr("psutil.virtual_memory", lambda: answer)

    return set_free


@pytest.fixture(name="numbers")
def numbers_fixture() -> Callable[[Any], np.ndarray]:
    return numbers
