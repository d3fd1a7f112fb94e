"""Running the twin: in a thread, in a process, and as a fixture."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import requests

import candu_source.twin
from candu_source.twin import Twin, serve_twin
from tests.twin.calls import post, track


def test_the_fixture_yields_a_running_twin(segment_twin: Twin) -> None:
    assert post(segment_twin.url, track()).status_code == 200
    assert len(segment_twin.messages(status="stored", type="track")) == 1


def test_the_fixture_is_fresh(segment_twin: Twin) -> None:
    assert segment_twin.stats()["requests"] == 0


def test_two_twins_know_nothing_of_each_other() -> None:
    with Twin() as one, Twin() as other:
        post(one.url, track())
        assert (one.stats()["stored"], other.stats()["stored"]) == (1, 0)


def test_a_stopped_twin_refuses_connections_and_comes_back_as_it_was() -> None:
    twin = Twin()
    with requests.Session() as session:
        with twin:
            url = twin.url
            assert session.get(f"{url}/healthz", timeout=30).status_code == 200
            post(url, track(messageId="m1"))
        with pytest.raises(requests.ConnectionError):
            session.get(f"{url}/healthz", timeout=30)
        assert twin.ids() == ["m1"]
        with twin:
            assert twin.url == url
            post(url, track(messageId="m1"))
            assert twin.stats()["duplicates"] == 1


def test_starting_twice_or_asking_too_early_is_an_error() -> None:
    twin = Twin()
    twin.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = twin.url
    with twin, pytest.raises(RuntimeError, match="already runs"):
        twin.start()


def test_a_taken_port_is_an_error(segment_twin: Twin) -> None:
    port = int(segment_twin.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        Twin(port=port).start()


def test_it_listens_on_ipv6() -> None:
    with Twin(host="::1") as twin:
        assert twin.url.startswith("http://[::1]:")
        assert post(twin.url, track()).status_code == 200


def test_messages_since_a_moment() -> None:
    with Twin() as twin:
        before = datetime.now(UTC)
        post(twin.url, track())
        assert len(twin.messages(since=before)) == 1
        assert len(twin.messages(since=before.isoformat())) == 1
        assert twin.messages(since="2999-01-01T00:00:00Z") == []
        with pytest.raises(ValueError, match="since"):
            twin.messages(since="yesterday")


def test_messages_of_a_key(segment_twin: Twin) -> None:
    post(segment_twin.url, track(), key="k1")
    post(segment_twin.url, track(), key="k2")
    assert [m["source"] for m in segment_twin.messages(key="k2")] == [segment_twin.source_id("k2")]


def test_keep_bounds_the_messages_and_not_the_ids() -> None:
    with Twin(keep=1) as twin:
        post(twin.url, track(messageId="m1"), track(messageId="m2"))
        assert [m["messageId"] for m in twin.messages()] == ["m2"]
        assert twin.ids() == ["m1", "m2"]


def test_numbers_that_fit_no_machine_word_can_be_looked_at(segment_twin: Twin) -> None:
    post(segment_twin.url, track(properties={"big": 10**40}))
    assert segment_twin.messages()[0]["message"]["properties"] == {"big": 10**40}


def test_clear_keeps_sources_and_faults(segment_twin: Twin) -> None:
    segment_twin.sources("known")
    segment_twin.fault(status=500, key="known")
    segment_twin.clear()
    assert post(segment_twin.url, track(), key="known").status_code == 500
    post(segment_twin.url, track(), key="stranger")
    assert segment_twin.stats()["dropped"] == {"unknown_write_key": 1}
    segment_twin.sources()
    post(segment_twin.url, track(), key="stranger")
    assert segment_twin.stats()["stored"] == 1


def test_a_wrong_source_is_refused_by_name(segment_twin: Twin) -> None:
    with pytest.raises(ValueError, match="region"):
        segment_twin.sources({"key": "k", "region": "uk"})


def test_waiting_in_vain_says_what_came(segment_twin: Twin) -> None:
    with pytest.raises(TimeoutError, match="stored=1"):
        segment_twin.wait(stored=1, timeout_seconds=0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_serves_until_it_is_asked_to_stop(number: int) -> None:
    code = "from candu_source.twin import serve_twin; serve_twin('127.0.0.1', 0, lambda url: print(url, flush=True), region='eu')"
    command = [sys.executable, "-W", "error", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with requests.Session() as session:
            assert session.get(f"{url}/healthz", timeout=30).status_code == 200
            requests.post(f"{url}/__twin/faults", json={"black_hole": True}, timeout=30)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def test_serving_on_a_taken_port_is_an_error_and_leaves_the_signals_alone(segment_twin: Twin) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(OSError, match="in use"):
        serve_twin("127.0.0.1", int(segment_twin.url.rsplit(":", 1)[1]))
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_fixture_is_cheap_to_load() -> None:
    code = "import sys, candu_source.twin.fixture; print([name for name in ('flask', 'werkzeug', 'msgspec') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_offers_two_names() -> None:
    assert candu_source.twin.__all__ == ["Twin", "serve_twin"]
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = getattr(candu_source.twin, "Nonsense")  # noqa: B009 - the name is not there, which is the point
