"""What stands between the network and the pages: which hosts are answered, and who may frame them.

Streamlit itself refuses a host that isn't listed only after its empty page has been sent, at the
first message; and it sends no ``frame-ancestors``.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.cli_util import open_browser
from streamlit.web.server.server_util import get_display_address, get_url
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

NO_FOREIGN_FRAMES = "frame-ancestors 'self'"
SOON = 0.3  # seconds until the server listens
SHOWN = 80  # characters of a host's name

_REFUSAL = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>gptviz: this host is not listed</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 17px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto;
  padding: 0 1.2rem; }}
h1 {{ font-size: 1.5rem; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; padding: .8rem; border-radius: .5rem;
  background: #8882; }}
</style>
<h1>gptviz doesn't answer to this host name</h1>
<p>The address names the host <b>{host}</b>. The app answers only to {allowed}: otherwise a page
from elsewhere could drive it (DNS rebinding).</p>
<p>Whoever runs the server can add the name and start it again, by the environment:</p>
<pre>STREAMLIT_SERVER_ALLOWED_HOSTS="{variable}"</pre>
<p>or in <code>.streamlit/config.toml</code>, under <code>[server]</code>:</p>
<pre>allowedHosts = [{setting}]</pre>
</html>
"""


class Door:
    """Answers to the hosts of ``server.allowedHosts`` alone, and lets no other site frame it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # Streamlit itself refuses a websocket's host
            await self.app(scope, receive, send)
            return

        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = NO_FOREIGN_FRAMES
            await send(message)

        host = Headers(scope=scope).get("host")
        app = self.app if is_host_allowed(host) else refusal(host or "")
        await app(scope, receive, send_unframed)


def refusal(host: str) -> HTMLResponse:
    """The page for a host that isn't listed: what to set."""
    allowed: list[str] = st.get_option("server.allowedHosts")
    name = re.sub(r":\d*$", "", host)
    # What stands in a line to be copied is a host's name and nothing else.
    listed = [*allowed, name if re.fullmatch(r"[\w.-]{1,80}", name, re.ASCII) else "ITS.NAME"]
    page = _REFUSAL.format(
        host=html.escape(host if len(host) <= SHOWN else host[:SHOWN] + "…"),
        allowed=html.escape(" and ".join(allowed)),
        variable=html.escape(" ".join(listed)),
        setting=html.escape(", ".join(f'"{one}"' for one in listed)),
    )
    return HTMLResponse(page, status_code=403)


@asynccontextmanager
async def opening(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Open the browser once the server listens, as Streamlit does for a script without ``App``."""
    if not st.get_option("server.headless"):
        address = get_url(get_display_address(st.get_option("server.address") or "localhost"))
        asyncio.get_running_loop().call_later(SOON, open_browser, address)
    yield None


MIDDLEWARE = [Middleware(Door)]
