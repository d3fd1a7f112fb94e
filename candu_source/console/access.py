"""Find out who asks: a person by the session's cookie, a program by its token; keep forgers and guessers out."""

from __future__ import annotations

import math
import time

from flask import request, session
from flask_wtf.csrf import CSRFError, validate_csrf
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from wtforms import ValidationError

from candu_source.errors import Reason, Refused
from candu_source.model import Person
from candu_source.store import Store

_SESSION = "signed_in"
# Tries to sign in a minute, from one address and with one name; each web process counts for itself.
_PER_ADDRESS, _PER_NAME = RateLimitItemPerMinute(20), RateLimitItemPerMinute(5)


def ask_person(store: Store) -> Person | None:
    """Return who is signed in with this request's cookie, or None."""
    held = session.get(_SESSION)
    return store.people.signed_in(held) if isinstance(held, str) else None


def ask_program(store: Store) -> Person | None:
    """Return whose API token this request brings, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return store.admin_tokens.owner(token.strip()) if scheme.lower() == "bearer" else None


def begin_session(held: str) -> None:
    """Sign in: nothing that stood in the cookie before stays, so that a planted one is worth nothing."""
    session.clear()
    session[_SESSION] = held
    session.permanent = True


def end_session(store: Store) -> None:
    """Sign out, here and in the store."""
    held = session.get(_SESSION)
    if isinstance(held, str):
        store.people.sign_out(held)
    session.clear()


def check_csrf() -> None:
    """Raise Refused 400 unless the form came from a page of ours to this very session."""
    try:
        validate_csrf(request.form.get("csrf_token") or request.headers.get("X-CSRFToken"))
    except (ValidationError, CSRFError):
        raise Refused(400, Reason.FORM_OUTDATED, "This page was open for too long, or the form is not ours. Reload the page.") from None


class Guesses:
    """Count tries to sign in, and refuse more than a person makes."""

    def __init__(self) -> None:
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())

    def spend(self, address: str, name: str) -> None:
        """Count one try; raise Refused 429 with the seconds to wait when there were too many."""
        for limit, kind, whose in ((_PER_ADDRESS, "address", address), (_PER_NAME, "name", name)):
            if not self._windows.hit(limit, kind, whose):
                wait = max(1, math.ceil(self._windows.get_window_stats(limit, kind, whose).reset_time - time.time()))
                raise Refused(429, Reason.TOO_MANY_REQUESTS, f"Too many tries to sign in; wait {wait} seconds.", retry_after=wait)
