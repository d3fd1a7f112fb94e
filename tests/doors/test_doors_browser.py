"""POST /v1/browser/<public token>: what pages send, who may, and what becomes of it."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from candu_source.doors.browser import allows
from candu_source.model import Kind, Rules, Secret, TokenUse
from candu_source.settings import Settings
from tests.doors.items import VERSION, candu_properties, encode
from tests.doors.sender import Sender, Web, assert_problem, counts, rejected

PAGE = "https://app.example.com"
OPEN = Rules(allowed_origins=(PAGE,))
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
SECRET = "the workspace secret"


def heard(*drop: str, **fields: Any) -> dict[str, Any]:
    """Make an item as the collector does: a view by u1, with fields changed, added or (by name) dropped."""
    made: dict[str, Any] = {
        "messageId": "m1",
        "timestamp": "2026-11-18T09:25:04.870Z",
        "type": "candu.sdk.screen",
        "detail": {"screenName": "candu.sdk.content", "properties": candu_properties()},
        "userId": "u1",
        "anonymousId": "a1",
        "context": {"userAgent": CHROME, "page": {"path": "/start"}},
    }
    return {name: value for name, value in (made | fields).items() if name not in drop}


def track(name: str = "candu.sdk.content.interaction", **properties: Any) -> dict[str, Any]:
    """Make a track event's type and detail."""
    return {"type": "candu.sdk.track", "detail": {"eventName": name, "properties": candu_properties(**properties)}}


def post(sender: Sender, body: object, origin: str | None = PAGE, token: str | None = None, **headers: str) -> TestResponse:
    """Post as a page of an origin does."""
    given = {"Content-Type": "text/plain;charset=UTF-8", **({"Origin": origin} if origin else {}), **headers}
    address = f"/v1/browser/{token or sender.connection.public_token}"
    return sender.web.app.test_client().post(address, data=encode(body), headers=given)


def proof(user_id: str, secret: str = SECRET) -> str:
    """Make the HMAC as a customer's server does."""
    return hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def page(web: Web) -> Sender:
    """Make a connection that takes events from one origin."""
    return web.sender(OPEN)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (heard(), ("screen", "tutorial.view", {"tutorialId": 7, "segmentId": "Everyone", "versionId": VERSION, "contentId": "c-1"})),
        (
            heard(**track(eventName="Go", trigger="OnClick")),
            (
                "track",
                "tutorial.interaction",
                {
                    "tutorialId": 7,
                    "segmentId": "Everyone",
                    "versionId": VERSION,
                    "eventName": "Go",
                    "contentId": "c-1",
                    "trigger": "OnClick",
                },
            ),
        ),
    ],
)
def test_what_a_page_hears_becomes_a_call(page: Sender, item: dict[str, Any], expected: tuple[str, str, dict[str, Any]]) -> None:
    answer = post(page, {"batch": [item]})
    assert answer.status_code == 202
    [message] = page.messages()
    assert (message["type"], message.get("name") or message.get("event"), message["properties"]) == expected
    assert (message["userId"], message["anonymousId"]) == ("u1", "a1")
    assert message["messageId"] == f"candu:{page.connection.id}:m1"
    assert message["timestamp"] == "2026-11-18T09:25:04.870+00:00"
    assert message["context"]["page"] == {"path": "/start"}
    assert json.loads(page.raws()[0]) == item


def test_the_same_event_sent_twice_counts_once(page: Sender) -> None:
    assert counts(post(page, {"batch": [heard(), heard()]})) == (1, 1, 0, 0)
    assert counts(post(page, [heard()], **{"Content-Type": "application/json"})) == (0, 1, 0, 0)


def test_other_events_are_filtered_by_the_same_table(web: Web) -> None:
    page = web.sender(replace(OPEN, classification={"candu.sdk.flow_step": Kind.VIEW}))
    screens = [heard(messageId=name, detail={"screenName": f"candu.sdk.{name}", "properties": {}}) for name in ("impression", "brand_new")]
    step = heard(messageId="step", detail={"screenName": "candu.sdk.flow_step", "properties": candu_properties()})
    assert counts(post(page, [*screens, step])) == (1, 0, 2, 0)
    assert page.filtered() == [("candu.sdk.brand_new", "unknown_event"), ("candu.sdk.impression", "excluded_event")]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        (heard("messageId"), "messageId"),
        (heard("timestamp"), "timestamp"),
        (heard("detail"), "detail"),
        (heard("userId", "anonymousId"), "userId"),
        (heard(type="click"), "type"),
        (heard(detail={"properties": candu_properties()}), "detail.screenName"),
        (heard(type="candu.sdk.track"), "detail.eventName"),
        (heard(detail={"screenName": "candu.sdk.content", "properties": {}}), "detail.properties.documentId"),
        (heard(detail={"screenName": "candu.sdk.content", "properties": {"documentId": "seven"}}), "detail.properties.documentId"),
        (heard(usrId="u1"), "usrId"),
    ],
)
def test_a_bad_item_is_named_and_its_neighbour_goes_on(page: Sender, item: dict[str, Any], field: str) -> None:
    answer = post(page, {"batch": [item, heard(messageId="good")]})
    assert counts(answer) == (1, 0, 0, 1)
    assert list(rejected(answer)[0]) == [field]
    assert [reject.code for reject in page.rejects()] == ["invalid"]


@pytest.mark.parametrize(
    ("origin", "allowed", "may"),
    [
        (PAGE, (PAGE,), True),
        (PAGE, (), False),
        (None, ("*",), False),
        ("", ("*",), False),
        ("null", (PAGE,), False),
        ("https://anything.test", ("*",), True),
        ("https://app.example.com:8443", (PAGE,), False),
        ("http://app.example.com", (PAGE,), False),
        ("https://app.example.com.evil.test", (PAGE,), False),
        ("https://a.example.com", ("https://*.example.com",), True),
        ("https://a.b.example.com", ("https://*.example.com",), True),
        ("https://example.com", ("https://*.example.com",), False),
        ("https://evilexample.com", ("https://*.example.com",), False),
        ("http://a.example.com", ("https://*.example.com",), False),
        ("https://evil.test/.example.com", ("https://*.example.com",), False),
    ],
)
def test_an_origin_is_allowed_exactly_or_below_a_star(origin: str | None, allowed: tuple[str, ...], *, may: bool) -> None:
    assert allows(origin, allowed) is may


@pytest.mark.parametrize("origin", [None, "https://evil.test"])
def test_a_wrong_origin_is_told_which_setting(page: Sender, origin: str | None) -> None:
    before = page.web.table_sizes()
    answer = post(page, heard(), origin)
    sentence = assert_problem(answer, 403, "origin_refused")
    assert "--origin https://evil.test" in sentence if origin else "names no Origin" in sentence
    assert answer.headers.get("Access-Control-Allow-Origin") == origin, "the page may read why"
    assert page.web.table_sizes() == before


def test_tokens_open_their_own_doors_only(page: Sender) -> None:
    before = page.web.table_sizes()
    assert_problem(post(page, heard(), token=page.token), 401, "unauthorized")
    assert_problem(post(page, heard(), token="pub_" + "0" * 24), 401, "unauthorized")
    public = page.connection.public_token
    client = page.web.app.test_client()
    assert_problem(client.post(f"/v1/webhook/{public}", json={}), 401, "unauthorized")
    assert_problem(client.post("/v1/interactions", json={}, headers={"Authorization": f"Bearer {public}"}), 401, "unauthorized")
    assert page.web.table_sizes() == before


def test_a_rotated_public_token_is_a_strangers(page: Sender) -> None:
    changed = page.web.store.tokens.rotate(page.connection, TokenUse.BROWSER, grace_seconds=0, by="test")
    assert_problem(post(page, heard()), 401, "unauthorized")
    assert counts(post(page, heard(), token=changed.reveal())) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("mode", "item", "expected"),
    [
        ("require", heard(userHmac=proof("u1")), (1, 0, 0, 0)),
        ("require", heard(userHmac=proof("u1").upper()), (1, 0, 0, 0)),
        ("require", heard("userId"), (1, 0, 0, 0)),
        ("require", heard(), (0, 0, 0, 1)),
        ("require", heard(userHmac=""), (0, 0, 0, 1)),
        ("require", heard(userHmac=proof("u2")), (0, 0, 0, 1)),
        ("require", heard(userHmac=proof("u1", "another")), (0, 0, 0, 1)),
        ("require", heard(userHmac="é"), (0, 0, 0, 1)),
        ("warn", heard(userHmac=proof("u2")), (1, 0, 0, 0)),
        ("off", heard(userHmac=proof("u2")), (1, 0, 0, 0)),
    ],
)
def test_a_user_id_needs_its_proof(web: Web, mode: Any, item: dict[str, Any], expected: tuple[int, int, int, int]) -> None:
    page = web.sender(replace(OPEN, identity=mode))
    web.store.connections.set_identity_secret(page.connection, Secret(SECRET), by="test")
    answer = post(page, item)
    assert counts(answer) == expected
    marked = [message["context"].get("candu", {}).get("identity") for message in page.messages()]
    assert marked == (["unproven"] if mode == "warn" else [None] * expected[0])
    assert [reject.code for reject in page.rejects()] == ["identity_unproven"] * expected[3]


def test_nothing_is_proven_without_a_secret(web: Web) -> None:
    page = web.sender(replace(OPEN, identity="require"))
    assert_problem(post(page, heard(userHmac=proof("u1", ""))), 422, "identity_unproven")


@pytest.mark.parametrize(("bots", "expected"), [("filter", (1, 0, 1, 0)), ("send", (2, 0, 0, 0))])
def test_crawlers_are_filtered_and_counted(web: Web, bots: Any, expected: tuple[int, int, int, int]) -> None:
    page = web.sender(replace(OPEN, bots=bots))
    crawler = heard(messageId="bot", context={"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"})
    assert counts(post(page, [heard(), crawler])) == expected
    assert page.filtered() == [("candu.sdk.content", "bot")] * expected[2]


@pytest.mark.parametrize(("setting", "kind"), [("browser_address_limit", "address"), ("browser_token_limit", "token")])
def test_too_many_requests_are_told_to_wait(tmp_path_factory: pytest.TempPathFactory, setting: str, kind: str) -> None:
    web = Web(Settings(store_url=f"sqlite:///{tmp_path_factory.mktemp('quota')}/store.db", **{setting: 2}))  # type: ignore[arg-type]
    page = web.sender(OPEN)
    assert [post(page, heard(messageId=str(number))).status_code for number in range(2)] == [202, 202]
    before = web.table_sizes()
    answer = post(page, heard(messageId="third"))
    assert f"CANDU_SOURCE_BROWSER_{kind.upper()}_LIMIT" in assert_problem(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 120
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert web.table_sizes() == before


def test_a_flood_from_one_address_is_refused_and_leaves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    web = Web(Settings(store_url=f"sqlite:///{tmp_path_factory.mktemp('flood')}/store.db"))
    page = web.sender(OPEN)
    statuses = Counter(post(page, heard(messageId="the same")).status_code for _ in range(10_000))
    assert statuses.keys() == {202, 429}
    assert statuses[202] <= 2 * 600, "two minutes may have begun"
    assert len(page.messages()) == 1
    assert page.rejects() == []


def test_a_browser_may_ask_first(page: Sender) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = page.web.app.test_client().options(f"/v1/browser/{page.connection.public_token}", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]


def test_the_script_is_cached_and_asked_for_again_cheaply(page: Sender) -> None:
    client = page.web.app.test_client()
    answer = client.get("/v1/collector.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert "max-age" in answer.headers["Cache-Control"]
    assert client.get("/v1/collector.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    packed = client.get("/v1/collector.js", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.get_data()) == answer.get_data()
    assert packed.headers["ETag"] != answer.headers["ETag"]


def test_plain_text_is_for_browsers_only(page: Sender) -> None:
    answer = page.web.app.test_client().post(f"/v1/webhook/{page.token}", data="{}", headers={"Content-Type": "text/plain"})
    assert_problem(answer, 415, "unsupported_media_type")
