"""Whole turns up to a limit: of the API, of model calls."""

import json

from place import KEY, MANUAL, Place, post
from turns import jobs, turns_of


def limits(options, results):
    place = Place(
        options,
        MANUAL,
        rate__platforms={"api_server": {"count": 3, "seconds": 3600}},
        rate__model_calls={"count": 6, "seconds": 3600},
    )
    cases = [
        ("jobs of the API are judged as the tool is", _jobs),
        ("the API answers 429 after its share", _api_rate),
    ]
    turns_of(options, results, "turn (rates)", place, cases)
    place = Place(options, MANUAL, rate__model_calls={"count": 2, "seconds": 3600})
    turns_of(
        options, results, "turn (budget)", place, [("model calls end with the budget", _budget)]
    )


def _jobs(gateway, place):
    url = f"http://127.0.0.1:{place.api}/api/jobs"
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    body = json.dumps({"name": "j-0815", "schedule": "1h", "prompt": "hello"}).encode()
    status, said = post(url, body, headers)
    assert status == 403 and "policy" in said, (status, said)
    assert not jobs(place)
    denied = place.writer.of("command_denied", tool="cronjob", platform="api_server")
    assert len(denied) == 1 and "j-0815" in json.dumps(denied), denied
    assert len(place.writer.of("message", platform="api_server")) == 1
    # To stop one needs nobody's yes, is not counted, and is on record.
    status, said = post(f"{url}/0123456789ab/pause", b"{}", headers)
    assert status == 404, (status, said)
    assert place.writer.of("tool_call", tool="cronjob", platform="api_server")
    assert len(place.writer.of("message", platform="api_server")) == 1
    assert post(url, body, {**headers, "Authorization": "Bearer no"})[0] == 401
    assert len(place.writer.of("message", platform="api_server")) == 1


def _api_rate(gateway, place):
    assert gateway.chat("one")[0] == 200 and gateway.chat("two")[0] == 200
    models = len(place.model.requests)
    status, said = gateway.chat("three")
    assert status == 429 and "Too many messages." in said, (status, said)
    assert len(place.model.requests) == models


def _budget(gateway, place):
    gateway.chat("one")
    gateway.chat("two")
    models = len(place.model.requests)
    status, said = gateway.chat("three", timeout=180)
    assert len(place.model.requests) == models <= 2, (models, said)
    assert place.writer.of("budget")
