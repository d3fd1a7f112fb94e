"""Who may post to the webhook, what a person sees at a door's address, and what a storm of redeliveries leaves behind."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from candu_source.model import Rules
from candu_source.settings import Settings
from tests.doors.items import payload
from tests.doors.sender import Sender, Web, assert_problem, counts

LISTED = Rules(allowed_addresses=("203.0.113.0/24", "2001:db8::/32"))


def post_from(sender: Sender, address: str, forwarded: str | None = None) -> TestResponse:
    """Post a view from an address, maybe as a proxy passes it on."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    client = sender.web.app.test_client()
    return client.post(f"/v1/webhook/{sender.token}", json=payload(), headers=headers, environ_base={"REMOTE_ADDR": address})


@pytest.mark.parametrize(
    ("address", "forwarded", "status"),
    [
        ("203.0.113.7", None, 202),
        ("::ffff:203.0.113.7", None, 202),
        ("2001:db8::1", None, 202),
        ("198.51.100.1", None, 403),
        ("", None, 403),
        ("198.51.100.1", "203.0.113.7", 403),
    ],
)
def test_only_listed_addresses_may_post(web: Web, address: str, forwarded: str | None, status: int) -> None:
    sender = web.sender(LISTED)
    answer = post_from(sender, address, forwarded)
    assert answer.status_code == status
    if status == 403:
        assert "--allow-address" in assert_problem(answer, 403, "source_refused")
        assert sender.messages() == []
        assert sender.rejects() == []


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [("203.0.113.7", 202), ("198.51.100.1, 203.0.113.7", 202), ("203.0.113.7, 198.51.100.1", 403), (None, 403)],
)
def test_behind_a_proxy_its_own_entry_counts(tmp_path_factory: pytest.TempPathFactory, forwarded: str | None, status: int) -> None:
    web = Web(Settings(store_url=f"sqlite:///{tmp_path_factory.mktemp('proxy')}/store.db", trusted_proxies=1))
    assert post_from(web.sender(LISTED), "10.0.0.1", forwarded).status_code == status


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_person_sees_what_an_address_is(web: Web, method: str) -> None:
    sender = web.sender()
    pages = {"webhook": f"/v1/webhook/{sender.token}", "browser": f"/v1/browser/{sender.connection.public_token}"}
    for door, address in {**pages, "interactions": "/v1/interactions"}.items():
        answer = getattr(web.app.test_client(), method)(address)
        assert (answer.status_code, answer.mimetype) == (200, "text/html"), door
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        text = answer.get_data(as_text=True)
        assert sender.connection.name not in text
        assert sender.connection.id not in text
        assert ("It takes POST." in text) is (method == "get")


def test_the_page_says_when_the_last_event_came(sender: Sender) -> None:
    client = sender.web.app.test_client()
    assert "No event seen yet." in client.get(f"/v1/webhook/{sender.token}").get_data(as_text=True)
    sender.send("webhook", payload())
    assert "Last event seen 20" in client.get(f"/v1/webhook/{sender.token}").get_data(as_text=True)


def test_a_stranger_sees_nothing(web: Web) -> None:
    assert_problem(web.app.test_client().get("/v1/webhook/cs_nobody"), 401, "unauthorized")
    assert_problem(web.app.test_client().get("/v1/browser/pub_nobody"), 401, "unauthorized")


def test_a_storm_of_redeliveries_leaves_no_trace(tmp_path_factory: pytest.TempPathFactory) -> None:
    web = Web(Settings(store_url=f"sqlite:///{tmp_path_factory.mktemp('storm')}/store.db"))
    sender = web.sender()
    storm = [[payload(id=f"event-{number}") for number in range(start, start + 1_000)] for start in range(0, 10_000, 1_000)]
    assert [counts(sender.send("webhook", some)) for some in storm] == [(1_000, 0, 0, 0)] * 10
    again = [(0, 1_000, 0, 0)] * 10
    assert [counts(sender.send("webhook", some)) for some in storm] == again  # and by then whatever followed the first has been done
    sizes, used = web.table_sizes(), web.store.database.used_bytes()
    for _ in range(8):
        assert [counts(sender.send("webhook", some)) for some in storm] == again
    assert (web.table_sizes(), web.store.database.used_bytes()) == (sizes, used)
