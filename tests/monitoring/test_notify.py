"""Alerts that leave the house: what places are sent, once each, and what happens when one does not answer."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.base.errors import ConfigError, UnavailableError
from fullcircle.log.bundles import note_bundle
from fullcircle.log.monitored import Noted, note_alerts
from fullcircle.log.sent import unsent
from fullcircle.monitoring.notify import Delivery, notify
from fullcircle.monitoring.post import Patience, post
from fullcircle.monitoring.settings import MonitoringSettings, Notify
from tests.log.made import BUNDLE, opened
from tests.monitoring.places import Place, place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sql

QUICK = Patience(attempts=3, seconds=5, pause=0.01)
NOW = 1_400_100_000.0
SLACK, MANAGER = Notify("slack", "THE_SLACK"), Notify("alertmanager", "THE_MANAGER")
SECRET = "/services/T00/B00/hush"


def alert(kind: str = "accuracy", level: str = "retrain", reason: str = "about 0.05 below", **more: str) -> Noted:
    return Noted(BUNDLE.id, kind, level, "2014-05-12", reason, "retrain: `fullcircle retrain`", "2014-05-13", **more)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sql.Engine]:
    made = opened(tmp_path)
    note_bundle(made, BUNDLE, datetime(2014, 5, 1, tzinfo=UTC))
    yield made
    made.dispose()


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place() as made:
        monkeypatch.setenv("THE_SLACK", made.url + SECRET)
        yield made


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with place() as made:
        monkeypatch.setenv("THE_MANAGER", made.url + "/")
        yield made


def send(engine: sql.Engine, *places: Notify, patience: Patience = QUICK) -> list[Delivery]:
    return notify(engine, MonitoringSettings(notify=places), NOW, patience)


def test_slack_is_sent_each_alert_once_with_what_to_do(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert(), alert("drift", "warn", "amount: more <!channel> & nulls")], "2014-05-13")
    assert send(engine, SLACK) == [Delivery("slack (THE_SLACK)", 2, 0)]
    assert send(engine, SLACK) == []
    ((path, headers, body),) = slack.requests
    assert (path, headers["content-type"]) == (SECRET, "application/json")
    assert body["blocks"][0] == {
        "type": "header",
        "text": {"type": "plain_text", "text": "orders 1.0.0: alerts, 2 raised"},
    }
    assert body["blocks"][1]["text"]["text"] == (
        "*retrain: accuracy* since 2014-05-12\nabout 0.05 below\n*What to do:* retrain: `fullcircle retrain`"
    )
    assert "&lt;!channel&gt; &amp; nulls" in body["text"]
    assert "<" not in body["text"]


def test_slack_is_sent_that_an_alert_was_cleared_once(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    send(engine, SLACK)
    note_alerts(engine, [], "2014-05-14")
    assert send(engine, SLACK) == [Delivery("slack (THE_SLACK)", 0, 1)]
    assert send(engine, SLACK) == []
    assert "*cleared: accuracy*, which was raised after 2014-05-13" in slack.bodies[-1]["text"]


def test_an_alert_that_comes_again_is_sent_again(engine: sql.Engine, slack: Place) -> None:
    for label in ("2014-05-13", "2014-05-15"):
        note_alerts(engine, [alert()], label)
        assert send(engine, SLACK)[0].raised == 1
        note_alerts(engine, [], label)
        assert send(engine, SLACK)[0].cleared == 1
    assert len(slack.requests) == 4


def test_alertmanager_is_sent_alerts_that_are_on_by_each_run_and_resolved_when_cleared(
    engine: sql.Engine, manager: Place
) -> None:
    note_alerts(engine, [alert(), alert("set_aside", "warn")], "2014-05-13")
    assert send(engine, MANAGER) == [Delivery("alertmanager (THE_MANAGER)", 2, 0)]
    assert send(engine, MANAGER) == []  # nothing new, and sent all the same: see below
    assert manager.bodies[0] == manager.bodies[1]
    assert manager.requests[0][0] == "/api/v2/alerts"
    first = manager.bodies[0][0]
    assert first == {
        "labels": {
            "alertname": "FullCircleAccuracy",
            "severity": "critical",
            "level": "retrain",
            "problem": "orders",
            "version": "1.0.0",
            "bundle": "b" * 12,
        },
        "annotations": {
            "summary": "orders 1.0.0: accuracy since 2014-05-12",
            "description": "about 0.05 below",
            "action": "retrain: `fullcircle retrain`",
        },
        "startsAt": "2014-05-12T00:00:00Z",
        "endsAt": "2014-05-17T20:40:00Z",  # three windows after the run: it resolves if monitoring stops
    }
    note_alerts(engine, [alert()], "2014-05-14")
    assert send(engine, MANAGER) == [Delivery("alertmanager (THE_MANAGER)", 0, 1)]
    still, cleared = manager.bodies[-1]
    assert (still["labels"], still["endsAt"] > first["startsAt"]) == (first["labels"], True)
    assert cleared["labels"]["alertname"] == "FullCircleSetAside"
    assert cleared["endsAt"] == "2014-05-14T20:40:00Z"
    send(engine, MANAGER)
    assert len(manager.bodies[-1]) == 1


def test_what_fails_first_is_tried_again_at_once(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    slack.statuses += [503, 429]
    assert send(engine, SLACK) == [Delivery("slack (THE_SLACK)", 1, 0)]
    assert len(slack.requests) == 3


def test_what_a_place_did_not_take_is_sent_by_the_next_run(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    slack.statuses += [500] * 3
    (failed,) = send(engine, SLACK)
    assert str(failed) == (
        "not sent to slack (THE_SLACK), and tried again by the next run: it answered 500 Internal Server Error"
    )
    assert send(engine, SLACK) == [Delivery("slack (THE_SLACK)", 1, 0)]


def test_an_answer_that_will_not_change_is_not_tried_again_at_once(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    slack.statuses += [404]
    (failed,) = send(engine, SLACK)
    assert failed.error == (
        "it answered 404 Not Found: it does not take such messages, or the URL is not valid any more"
    )
    assert len(slack.requests) == 1


def test_a_redirect_is_not_followed(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    slack.statuses += [307]
    (failed,) = send(engine, SLACK)
    assert failed.error is not None
    assert failed.error.startswith("it answered 307 Temporary Redirect")
    assert [path for path, _, _ in slack.requests] == [SECRET]


def test_a_place_that_is_gone_or_slow_does_not_stop_the_others(
    engine: sql.Engine, slack: Place, manager: Place
) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    manager.held.set()
    begun = time.monotonic()
    slow, good = send(engine, MANAGER, SLACK, patience=Patience(attempts=2, seconds=0.2, pause=0.01))
    assert time.monotonic() - begun < 10
    assert slow.error == "no answer within 0.2 s"
    assert good == Delivery("slack (THE_SLACK)", 1, 0)
    manager.held.clear()
    assert send(engine, MANAGER, SLACK) == [Delivery("alertmanager (THE_MANAGER)", 1, 0)]


def test_a_place_that_answers_byte_after_byte_is_given_up(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    slack.drip = True
    patience = Patience(attempts=2, seconds=0.3, pause=0.01)
    (failed,) = send(engine, SLACK, patience=patience)
    assert failed.error == f"no answer within {patience.longest:g} s"


def test_a_place_that_is_gone_is_reported(engine: sql.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("THE_SLACK", f"http://127.0.0.1:{port}{SECRET}")
    (failed,) = send(engine, SLACK)
    assert failed.error == "the connection was refused"


def test_a_variable_that_is_not_set_is_reported_and_the_others_are_sent(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    unset, good = send(engine, Notify("slack", "NOT_SET"), SLACK)
    assert unset.error == "the variable NOT_SET is empty or not set"
    assert good.error is None


@pytest.mark.parametrize(
    "url",
    [
        "hooks.example.com/hush",
        "file:///etc/hush",
        "http://127.0.0.1:hush/",
        "http://[hush",
        "https:///hush",
        "http://127.0.0.1/hush\r\nX-Header: hush",
        "http://127.0.0.1/hush hush",
        "http://hüsh.example/",
    ],
)
def test_an_error_does_not_show_the_url(url: str) -> None:
    with pytest.raises(ConfigError, match="it holds no URL that begins with") as raised:
        post(url, {}, QUICK)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("status", [302, 400, 403, 500])
def test_no_answer_of_a_place_shows_the_url(slack: Place, status: int) -> None:
    slack.statuses += [status] * 3
    with pytest.raises((ConfigError, UnavailableError)) as raised:
        post(slack.url + SECRET, {}, QUICK)
    assert "hush" not in str(raised.value)  # the server's own reason has it
    assert str(slack.port) not in str(raised.value)


def test_a_server_without_tls_is_an_error_of_the_connection(slack: Place) -> None:
    with pytest.raises(UnavailableError, match="no TLS connection") as raised:
        post(slack.url.replace("http:", "https:"), {}, QUICK)
    assert "127.0.0.1" not in str(raised.value)


def test_user_and_password_of_a_url_are_sent_as_a_header(slack: Place) -> None:
    post(slack.url.replace("//", "//me:p%40ss@"), {}, QUICK)
    assert slack.requests[0][1]["authorization"] == "Basic bWU6cEBzcw=="


def test_an_alert_that_has_passed_before_a_place_was_reached_is_not_sent(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    note_alerts(engine, [], "2014-05-14")
    assert send(engine, SLACK) == []
    assert slack.requests == []


def test_a_new_place_is_sent_the_alerts_that_are_on(engine: sql.Engine, slack: Place, manager: Place) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    send(engine, SLACK)
    assert send(engine, SLACK, MANAGER) == [Delivery("alertmanager (THE_MANAGER)", 1, 0)]
    assert len(slack.requests) == 1


def test_many_alerts_fit_the_limits_of_slack(engine: sql.Engine, slack: Place) -> None:
    note_alerts(engine, [alert(f"kind{i}", "warn", "x" * 5000) for i in range(70)], "2014-05-13")
    assert send(engine, SLACK)[0].raised == 70
    blocks: list[Any] = slack.bodies[0]["blocks"]
    assert len(blocks) <= 50
    assert max(len(block["text"]["text"]) for block in blocks) <= 3000
    assert "and 50 more" in blocks[-1]["text"]["text"]


def test_no_url_is_in_the_database(engine: sql.Engine, slack: Place, tmp_path: Path) -> None:
    note_alerts(engine, [alert()], "2014-05-13")
    send(engine, SLACK)
    assert unsent(engine, "slack (THE_SLACK)").raised == ()
    engine.dispose()
    assert b"hush" not in (tmp_path / "log.sqlite").read_bytes()
