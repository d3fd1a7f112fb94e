"""What keeps an integration from working is named by its place."""

from __future__ import annotations

from candu_source.integrations.checking import Flaw, Usage, check
from tests.integrations.drafts import draft, events


def test_nothing_is_wrong_with_what_is_fine() -> None:
    assert check(draft()).flaws == ()


def test_a_template_that_does_not_compile_is_named_with_line_and_column() -> None:
    (flaw,) = check(draft(events=events(body="{\n  ${mappedFields.id}${\n}"), parameters=[{"name": "key", "display_name": "Key"}])).flaws
    assert (flaw.where, flaw.line, flaw.blocks) == ("events.body", 3, True)


def test_what_is_refused_is_found_before_anything_is_sent() -> None:
    checked = check(draft(events=events(body='${mappedFields.id}<#include "/etc/passwd">')))
    assert [flaw.where for flaw in checked.blocking] == ["events.body"]


def test_parameters_are_declared_and_used() -> None:
    integration = draft(
        events=events(url="https://${parameters.host}/x"),
        parameters=[{"name": "key", "display_name": "Key"}, {"name": "spare", "display_name": "Spare"}],
    )
    checked = check(integration)
    assert checked.usages == (
        Usage("key", declared=True, used_in=("events.headers.Authorization",)),
        Usage("spare", declared=True, used_in=()),
        Usage("host", declared=False, used_in=("events.url",)),
    )
    assert [(flaw.where, flaw.blocks) for flaw in checked.flaws] == [("parameters", False), ("events.url", True)]


def test_mapped_fields_are_declared_and_used() -> None:
    integration = draft(events=events(body='{"a": "${mappedFields.email}"}'))
    assert [(flaw.where, flaw.blocks) for flaw in check(integration).flaws] == [("events.body", True), ("mappings", False)]


def test_an_integration_that_sends_nothing_is_none() -> None:
    assert check(draft(events=None, parameters=[], mappings=[])).flaws == (
        Flaw("events", 0, 0, "There is neither an events nor a users payload; nothing could be sent."),
    )
