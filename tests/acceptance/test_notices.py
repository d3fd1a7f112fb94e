"""The service itself notices that a lane is held, and tells: in its probes, and at a channel."""

from __future__ import annotations

from pathlib import Path

from candu_source.twin import Twin
from tests.acceptance.load import interaction
from tests.acceptance.oddities import always, far_end
from tests.acceptance.service import Service
from tests.acceptance.waiting import until
from tests.notices.post import heard, receiver


def test_a_held_lane_is_told_and_the_service_goes_on(tmp_path: Path) -> None:
    refuse = always("401 Unauthorized", b"{}")
    with Twin() as twin, far_end(refuse) as refusing, receiver() as channel, Service(tmp_path) as service:
        service.serve()
        service.read("channels", "add", "webhook", channel.url)
        broken, well = service.connect("Candu_Broken", "k1", refusing), service.connect("Candu_Well", "k2", twin.url)
        broken.post(interaction("1"))
        assert heard(channel, 1) == [("opened", "lane_held")]
        assert channel.bodies[0]["connection"] == "Candu_Broken"
        assert "connections set Candu_Broken --write-key -" in channel.bodies[0]["text"]
        assert service.readiness()["notices"]["lane_held"] == 1
        assert service.readiness()["status"] == "ready"
        well.post(interaction("2"))
        until(lambda: twin.ids("k2"), "the other connection's event to arrive")
        assert b"canary" not in service.log.read_bytes()
