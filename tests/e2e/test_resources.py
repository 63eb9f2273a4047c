"""What a session's processes use."""
from harness import until


def test_resources_of_a_session(ganger):
    ganger.fake("calm", "idle")
    # The shell and what it left in the background, but no process of ganger's own.
    ganger.start("busy", "sh", "-c", "(sleep 600 &); while :; do :; done")
    connection = ganger.connect("busy")
    connection.call("session.subscribe", {"types": ["resource"]})
    calm = ganger.session("calm")["resources"]
    assert calm["processes"] == 1 and calm["rss_bytes"] > 100_000 and 0 <= calm["cpu_pct"] < 100
    event = connection.event("resource")
    assert event["processes"] == 2 and event["rss_bytes"] > 100_000
    busy = until(lambda: (r := ganger.session("busy")["resources"])["cpu_pct"] > 20 and r, "the loop to be seen")
    assert busy["processes"] == 2
    assert "CPU" in ganger.run("show", "busy").stdout
    ganger.run("kill", "busy")
    assert ganger.session("busy")["resources"] is None
    connection.close()
