"""Sign in and out, and make the first user by the one-time link."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from candu_source.console.access import Guesses, ask_person, begin_session, check_csrf, end_session
from candu_source.console.frame import CONSOLE
from candu_source.errors import UsageError
from candu_source.model import Secret
from candu_source.store import Store


def blueprint(store: Store, guesses: Guesses) -> Blueprint:
    """Return the addresses that need nobody signed in."""
    routes = Blueprint("sign_in", __name__, url_prefix=CONSOLE)

    @routes.get("/sign-in")
    def form() -> AnyResponse | str:
        if ask_person(store):
            return redirect(f"{CONSOLE}/")
        return render_template("sign_in.html", next=request.args.get("next", ""), nobody=not store.people.all())

    @routes.post("/sign-in")
    def sign_in() -> AnyResponse | tuple[str, int]:
        check_csrf()
        name, password = request.form.get("name", "").strip(), Secret(request.form.get("password", ""))
        guesses.spend(request.remote_addr or "", name)
        held = store.people.sign_in(name, password)
        if held is None:
            return render_template("sign_in.html", next=request.form.get("next", ""), name=name, wrong=True), 422
        begin_session(held.reveal())
        return redirect(local(request.form.get("next", "")), 303)

    @routes.post("/sign-out")
    def sign_out() -> AnyResponse:
        check_csrf()
        end_session(store)
        return redirect(url_for("sign_in.form"), 303)

    @routes.get("/welcome/<invitation>")
    def welcome(invitation: str) -> tuple[str, int]:
        invited = store.people.is_invited(invitation)
        return render_template("welcome.html", invited=invited), 200 if invited else 404

    @routes.post("/welcome/<invitation>")
    def make_first(invitation: str) -> AnyResponse | tuple[str, int]:
        check_csrf()
        name, password = request.form.get("name", ""), Secret(request.form.get("password", ""))
        guesses.spend(request.remote_addr or "", "")
        try:
            user = store.people.add_first(invitation, name, password)
        except UsageError as error:
            return render_template("welcome.html", invited=store.people.is_invited(invitation), name=name, off=str(error)), 422
        held = store.people.sign_in(user.name, password)
        assert held is not None
        begin_session(held.reveal())
        return redirect(f"{CONSOLE}/", 303)

    return routes


def local(address: str) -> str:
    """Return an address of this console, whatever was asked for: a link must not lead elsewhere after signing in."""
    parts = urlsplit(address.replace("\\", "/"))
    ours = not parts.scheme and not parts.netloc and (parts.path == CONSOLE or parts.path.startswith(f"{CONSOLE}/"))
    return address if ours and address.isprintable() and "\\" not in address else f"{CONSOLE}/"
