"""One choice for each thing that stands in the link: what it may be, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.ui.shell.link import take

if TYPE_CHECKING:
    from gptviz.ui.shell.screen import Screen

EITHER = (False, True)


class Between(NamedTuple):
    """All numbers from ``least`` to ``most``; the ends are its first and its last."""

    least: float
    most: float

    def __contains__(self, value: Any) -> bool:
        return bool(self.least <= value <= self.most)


@dataclass(frozen=True)
class Such:
    """All values that pass a test, where they are too many to be listed."""

    test: Callable[[Any], bool]

    def __contains__(self, value: Any) -> bool:
        return self.test(value)


Allowed = Sequence[Any] | Such
Depending = Callable[[GPTConfig, int], Any]  # on the configuration and the sentence's n_tokens


def select(choice: Choice, allowed: Sequence[Any], **how: Any) -> Any:
    return st.selectbox(
        choice.label, allowed, key=choice.key, format_func=choice.words, help=choice.help, **how
    )


def told(choice: Choice, allowed: Sequence[Any], **how: Any) -> Any:
    """A selectbox whose words for a value change with the sentence.

    While the value stays, the browser would keep the old words: so where the words are others, the
    value is set anew.
    """
    said = choice.words(choice.value)
    if st.session_state.get(f"{choice.key} said") != said:
        st.session_state[f"{choice.key} said"] = said
        choice.choose(choice.value)
    return select(choice, allowed, **how)


def steps(choice: Choice, allowed: Sequence[Any], **how: Any) -> Any:
    return st.select_slider(
        choice.label, allowed, key=choice.key, format_func=choice.words, help=choice.help, **how
    )


def segments(choice: Choice, allowed: Sequence[Any], **how: Any) -> Any:
    return st.segmented_control(
        choice.label,
        allowed,
        key=choice.key,
        required=True,
        format_func=choice.words,
        label_visibility="collapsed",
        **how,
    )


def number(choice: Choice, allowed: Sequence[Any], **how: Any) -> Any:
    least, most = allowed[0], allowed[-1]
    return st.number_input(choice.label, least, most, key=choice.key, help=choice.help, **how)


def slider(choice: Choice, allowed: Sequence[Any], **how: Any) -> Any:
    least, most = allowed[0], allowed[-1]
    return st.slider(choice.label, least, most, key=choice.key, help=choice.help, **how)


def toggle(choice: Choice, _allowed: Sequence[Any], **how: Any) -> Any:
    return st.toggle(choice.label, key=choice.key, help=choice.help, **how)


@dataclass(frozen=True)
class Choice:
    """Something that a person chooses and that stands in the link.

    Args:
        key: its name in the link, in the session, and as a widget.
        default: what stands where nothing was chosen; or a function that gives it.
        allowed: all that can be chosen; or a function that gives it.
        words: how a value is called.
        widget: draws it, from the choice and from what is allowed.
    """

    key: str
    default: Any | Depending
    allowed: Allowed | Depending
    label: str = ""
    help: str | None = None
    words: Callable[[Any], str] = str
    widget: Callable[..., Any] = select

    @property
    def value(self) -> Any:
        """What is chosen now."""
        return st.session_state[self.key]

    def choose(self, value: Any) -> None:
        """Set it, as a person would."""
        st.session_state[self.key] = value

    def default_of(self, config: GPTConfig, n_tokens: int) -> Any:
        """The default for this configuration and a sentence of so many tokens."""
        return self.default(config, n_tokens) if callable(self.default) else self.default

    def allowed_of(self, config: GPTConfig, n_tokens: int) -> Any:
        """What can be chosen with this configuration and a sentence of so many tokens."""
        return self.allowed(config, n_tokens) if callable(self.allowed) else self.allowed

    def settle(self, config: GPTConfig, n_tokens: int) -> Any:
        """Give it its value before anything is drawn, and give its default.

        What another model or sentence left behind is brought into range: to the last that is
        allowed, or to the default where what is allowed has no order.
        """
        default, allowed = (of(config, n_tokens) for of in (self.default_of, self.allowed_of))
        if take(self.key, default, allowed.__contains__) not in allowed:
            self.choose(default if isinstance(allowed, Such) else allowed[-1])
        return default

    def draw(self, screen: Screen, **how: Any) -> Any:
        """Draw its widget, and give what is chosen."""
        return self.widget(self, self.allowed_of(screen.config, len(screen.token_ids)), **how)


def view(key: str, names: dict[str, str]) -> Choice:
    """Which of several views is open: the others cost nothing. ``names`` are by their keys."""
    first, *_ = names
    label = "What to look at"
    return Choice(key, first, tuple(names), label, words=names.__getitem__, widget=segments)
