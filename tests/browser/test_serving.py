"""The server as the network sees it: which hosts it answers, and who may put it in a frame."""

from __future__ import annotations

import http.client
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

PATHS = ("/", "/tokens", "/nowhere", "/_stcore/health", "/static/nothing.js")
STRANGERS = ("viz.example.org", "127.0.0.1.example.org", "localhost.evil", 'a"b`c', "x" * 300, "")


def answer(server: str, path: str, host: str) -> tuple[int, str | None, str]:
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=20)) as connection:
        connection.request("GET", path, headers={"Host": host})
        got = connection.getresponse()
        return got.status, got.getheader("Content-Security-Policy"), got.read().decode()


@pytest.mark.parametrize("path", PATHS)
def test_plain_http_answers_to_listed_hosts_alone(path, server):
    for host in ("127.0.0.1", "localhost", "LOCALHOST:8501", urlsplit(server).netloc):
        assert answer(server, path, host)[:2] == (200, "frame-ancestors 'self'"), host
    for host in STRANGERS:
        status, policy, said = answer(server, path, host)
        assert (status, policy) == (403, "frame-ancestors 'self'"), host
        assert "STREAMLIT_SERVER_ALLOWED_HOSTS" in said
        assert len(said) < 2000


def test_only_a_hosts_name_is_put_into_a_line_to_copy(server):
    assert '"localhost 127.0.0.1 viz.example.org"' in copied(server, "viz.example.org:80")
    for hostile in ('a"; rm -rf ~ #', "$(ls)", "`ls`", "<b>x</b>"):
        assert '"localhost 127.0.0.1 ITS.NAME"' in copied(server, hostile)


def copied(server: str, host: str) -> str:
    """The line of the refusal that is to be copied."""
    said = answer(server, "/", host)[2].replace("&quot;", '"')
    assert "<b>x</b>" not in said
    return next(line for line in said.splitlines() if "STREAMLIT_SERVER_ALLOWED_HOSTS" in line)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_host_that_is_not_listed_gets_a_page_that_says_what_to_set(width, server, browser):
    port = urlsplit(server).port
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"http://viz.localhost:{port}/tokens")  # a browser finds *.localhost on this machine
    expect(page.get_by_role("heading")).to_have_text("gptviz doesn't answer to this host name")
    expect(page.locator("pre").first).to_contain_text("localhost 127.0.0.1 viz.localhost")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def test_no_other_site_can_put_the_app_in_a_frame(server, browser):
    page = browser.new_page()
    page.goto(server.replace("127.0.0.1", "viz.localhost"))
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(
            """address => document.body.append(
              Object.assign(document.createElement("iframe"), {src: address}))""",
            server,
        )
    assert page.frame_locator("iframe").get_by_test_id("stApp").count() == 0
    page.close()
