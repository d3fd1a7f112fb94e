"""Who may look and change: people, and programs with API tokens."""

from __future__ import annotations

from typing import Any

from candu_source.console.desk import Desk, Form
from candu_source.console.frame import Action, Done, Page
from candu_source.errors import UsageError
from candu_source.model import Role, Secret

_PEOPLE = "people"


def people(desk: Desk) -> dict[str, Any]:
    """List users and API tokens."""
    names = {each.id: each.name for each in desk.store.connections.all()}
    users = [
        {
            "name": each.name,
            "role": each.role,
            "connections": None if each.connections is None else sorted(names[one] for one in each.connections),
            "created_at": each.created_at,
        }
        for each in desk.store.people.all()
    ]
    tokens = [
        {
            "name": each.name,
            "role": each.role,
            "connection": None if each.connection is None else names[each.connection],
            "token": each.shown,
            "created_at": each.created_at,
        }
        for each in desk.store.admin_tokens.all()
    ]
    return {"users": users, "tokens": tokens, "connections": names, "now": desk.now}


def add_user(desk: Desk, form: Form) -> Done:
    """Let a person sign in."""
    chosen = [desk.store.connections.named(each).id for each in form.many("connection")]
    role = form.one_of("role", Role, Role.VIEWER)
    made = desk.store.people.add(form.required("name"), Secret(form.text("password")), role, connections=chosen or None, by=desk.by)
    return Done(f"{made.name} can sign in.", _PEOPLE, {"name": made.name, "role": made.role})


def change_password(desk: Desk, form: Form) -> Done:
    """Put another password in place."""
    name = form.required("name")
    desk.store.people.set_password(name, Secret(form.text("password")), by=desk.by)
    return Done(f"{name} has another password, and is signed out everywhere.", _PEOPLE)


def remove_user(desk: Desk, form: Form) -> Done:
    """Let a person sign in no more; somebody must be left who can change things."""
    name = form.required("name")
    owners = {each.name for each in desk.store.people.all() if each.role is Role.OWNER and each.connections is None}
    if owners == {name}:
        raise UsageError(f"name: {name} is the only owner who sees everything; make another first")
    desk.store.people.remove(name, by=desk.by)
    return Done(f"{name} can sign in no more.", _PEOPLE)


def add_token(desk: Desk, form: Form) -> Done:
    """Make an API token, which is shown once."""
    name, chosen = form.required("name"), form.text("connection")
    found = desk.store.connections.named(chosen).id if chosen else None
    token = desk.store.admin_tokens.add(name, form.one_of("role", Role, Role.VIEWER), connection=found, by=desk.by)
    return Done(f"The API token {name} is made.", _PEOPLE, {"name": name, "token": token.reveal()})


def remove_token(desk: Desk, form: Form) -> Done:
    """Let a program in no more."""
    name = form.required("name")
    desk.store.admin_tokens.remove(name, by=desk.by)
    return Done(f"The API token {name} is removed.", _PEOPLE)


PAGES = (Page(_PEOPLE, "people.html", people, whole=True),)
ACTIONS = (
    Action("people/add", add_user, whole=True),
    Action("people/password", change_password, whole=True),
    Action("people/remove", remove_user, whole=True),
    Action("people/tokens/add", add_token, whole=True, shows="shown_once.html"),
    Action("people/tokens/remove", remove_token, whole=True),
)
