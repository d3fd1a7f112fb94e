"""Nobody sees a byte of, or changes anything of, what is not theirs: every route, every kind of caller."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from candu_source.console import ACTIONS, FILES, PAGES, create_console
from candu_source.console.frame import ADMIN, CONSOLE, Place
from candu_source.model import Connection, Role, TokenUse
from candu_source.web import build_tools
from tests.console.furnish import furnish, settle_down
from tests.console.site import Site, Visitor, open_site

MARK = "CANARYB"
# Pages for people; the others are for programs alone.
_SHOWN = [page for page in PAGES if page.template]
_PART = re.compile(r"{(?:path:)?(\w+)}")
_FORMS = [
    {},
    {"kind": "rejects", "reason": "invalid"},
    {"kind": "dead", "reason": "content_refused"},
    {"kind": "filtered", "reason": "unknown_event"},
    {"warehouse": "warehouse", "table": "screens", "all": "on"},
]


@dataclass(frozen=True)
class Two:
    """Hold a site with our connection and that of somebody else, and what of theirs may be named."""

    site: Site
    ours: Connection
    theirs: Connection
    ids: dict[str, list[str]]

    def state(self) -> list[Any]:
        """Return all that is theirs, to see whether it changed."""
        store = self.site.store
        switches = [store.connections.named(self.theirs.id), store.connections.lanes(self.theirs.id), store.replays.all(self.theirs.id)]
        switches += [store.streams.all(self.theirs.id), store.integrations.all()]
        warehouses = [(each, store.warehouses.upkeep(each)) for each in store.warehouses.all(self.theirs.id)]
        people = [store.people.all(), store.admin_tokens.all(), [each.id for each in store.channels.all()]]
        return [*store.export.lines(self.theirs), *switches, *warehouses, store.shapes.notices(self.theirs.id, acked=False), *people]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """Furnish two connections alike."""
    site = open_site(tmp_path_factory.mktemp("isolation"))
    ours, theirs = furnish(site, "Candu_Ours", 40), furnish(site, "Candu_Theirs", 40, MARK)
    settle_down(site)
    store = site.store
    ids = {
        "events": [event.message_id for event in store.trace.tail(theirs.id, most=3)],
        "rejects": [str(each.id) for each in store.shelves.rejects(theirs.id, 2)],
        "shapes": [str(each.id) for each in store.shapes.notices(theirs.id, acked=True)[:2]],
        "replays": [str(each.id) for each in store.replays.all(theirs.id)],
        "warehouse": ["screens", "tutorial_interaction", "views_per_tutorial", "kinds_of_interaction"],
        "syncs": [each.name for each in store.streams.all(theirs.id)],
        "test": [event.message_id for event in store.trace.tail(theirs.id, most=1)],
    }
    yield Two(site, ours, theirs, ids)
    site.store.close()


def _addresses(two: Two, base: str, path: str) -> Iterator[str]:
    """Yield an address for our connection and for theirs, each with ids of theirs."""
    kind = path.split("/")[2] if path.count("/") > 1 else ""
    ids = two.ids.get(kind, ["1"]) if "{id}" in path or "{path:id}" in path else [""]
    for connection, identifier in itertools.product((two.ours.id, two.theirs.id, two.theirs.name), ids):
        parts = {"connection": connection, "id": identifier}
        yield f"{base}/{_PART.sub(lambda found, parts=parts: parts[found[1]], path)}"  # type: ignore[misc]


def _assert_nothing_of_theirs(two: Two, address: str, answer: TestResponse) -> None:
    shown = answer.get_data() + str(answer.headers).encode()
    answer.close()
    for said in address.split("/"):  # what stands in the address was known before
        shown = shown.replace(said.encode(), b"") if MARK in said else shown
    for secret in (MARK, two.theirs.slug, two.theirs.public_token):
        assert secret.encode() not in shown, (address, answer.status_code)


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_one_connection_reads_nothing_of_another(two: Two, role: Role) -> None:
    guest = two.site.person(f"guest-{role}", role, [two.ours.id])
    headers = two.site.program(role, two.ours.id, f"robot-{role}")
    nobody = two.site.visitor()
    paths = [page.path for page in PAGES] + [file.path for file in FILES]
    seen = 0
    for path in paths:
        for base in (CONSOLE, ADMIN):
            for address in _addresses(two, base, path):
                for who, options in ((guest, {}), (nobody, {"headers": headers})):
                    answer = who.get(address, **options)
                    seen += answer.status_code == 200
                    _assert_nothing_of_theirs(two, address, answer)
    assert seen > len(paths)


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_one_connection_changes_nothing_of_another(two: Two, role: Role) -> None:
    guest = two.site.person(f"changer-{role}", role, [two.ours.id])
    headers = two.site.program(role, two.ours.id, f"changing-robot-{role}")
    before = two.state()
    token = guest.csrf("/console/")
    theirs = {"connection": two.theirs.id, "id": two.ids["rejects"][0], "name": "Candu_Theirs", "confirm": "Candu_Theirs"}
    for action in ACTIONS:
        if action.path.endswith("/delete") and role is Role.OWNER:
            continue  # would end our own, too; theirs is tried below
        for form in _FORMS:
            for base, who, options in ((CONSOLE, guest, {"csrf_token": token}), (ADMIN, two.site.visitor(), {})):
                for address in _addresses(two, base, action.path):
                    given = {**theirs, **form, **options}
                    sent: dict[str, Any] = {"data": given} if base == CONSOLE else {"json": given, "headers": headers}
                    _assert_nothing_of_theirs(two, address, who.client.post(address, **sent))
    address = f"{ADMIN}/connections/{two.theirs.id}/delete"
    assert two.site.visitor().client.post(address, json={"confirm": "Candu_Theirs"}, headers=headers).status_code in (403, 404)
    assert two.state() == before


def test_a_viewer_changes_nothing_at_all(two: Two) -> None:
    viewer = two.site.person("viewer", Role.VIEWER)
    headers = two.site.program(Role.VIEWER, None, "viewing-robot")
    before = two.state()
    token = viewer.csrf("/console/")
    for action in ACTIONS:
        for address in _addresses(two, CONSOLE, action.path):
            assert viewer.client.post(address, data={"csrf_token": token}).status_code == 403, address
        for address in _addresses(two, ADMIN, action.path):
            assert two.site.visitor().client.post(address, json={}, headers=headers).status_code == 403, address
    assert two.state() == before


def test_nobody_gets_in_without_a_sign(two: Two) -> None:
    stranger = two.site.visitor()
    for path in [page.path for page in _SHOWN] + [file.path for file in FILES]:
        for address in _addresses(two, CONSOLE, path):
            assert stranger.get(address).status_code in (302, 401), address
    for path in [page.path for page in PAGES] + [file.path for file in FILES]:
        for address in _addresses(two, ADMIN, path):
            assert stranger.get(address).status_code in (401, 404), address
    for action in ACTIONS:
        for base, address in itertools.chain.from_iterable(
            ((base, each) for each in _addresses(two, base, action.path)) for base in (CONSOLE, ADMIN)
        ):
            assert stranger.client.post(address, json={}).status_code in (302, 401), (base, address)


def test_no_door_shows_or_takes_what_is_of_another(two: Two) -> None:
    store, site = two.site.store, two.site
    token = store.tokens.add(two.ours, TokenUse.SERVER, by="test").reveal()
    readback = store.tokens.add(two.ours, TokenUse.READBACK, by="test").reveal()
    before = two.state()
    for rule in site.app.url_map.iter_rules():
        for given in (token, readback, two.ours.public_token):
            address = rule.rule.replace("<token>", given)
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                headers = {"Authorization": f"Bearer {token}", "Origin": "https://app.example.com"}
                body = [{"messageId": each} for each in two.ids["events"]]
                answer = site.visitor().client.open(address, method=method, headers=headers, json=body)
                if rule.rule != "/metrics":  # for operators, and on purpose about all connections; names only
                    _assert_nothing_of_theirs(two, address, answer)
    assert two.state() == before


def test_every_route_of_the_console_is_one_of_these_tables(two: Two) -> None:
    site = two.site
    app: Flask = create_console(Place(site.store, site.settings, build_tools(site.settings, site.telltale, site.store)), site.telltale)
    described = {f"{ADMIN}/{each.path}" for each in (*PAGES, *ACTIONS)}
    described |= {f"{CONSOLE}/{each.path}" for each in (*_SHOWN, *ACTIONS)}
    described |= {f"{CONSOLE}/{each.path}" for each in FILES}
    own = {"/", f"{ADMIN}/openapi.json", f"{CONSOLE}/sign-in", f"{CONSOLE}/sign-out"}
    own |= {f"{CONSOLE}/welcome/{{invitation}}", f"{CONSOLE}/static/{{path:filename}}"}
    found = {rule.rule.replace("<", "{").replace(">", "}") for rule in app.url_map.iter_rules()}
    assert found == described | own


def test_guests_do_not_see_who_else_there_is(two: Two) -> None:
    guest: Visitor = two.site.person("only-a-guest", Role.OWNER, [two.ours.id])
    for path in ("people", "channels", "connect"):
        assert guest.get(f"{CONSOLE}/{path}").status_code == 404
        assert f'href="/console/{path}"' not in guest.get(f"{CONSOLE}/").text
