"""Whole turns up to a limit: of the API, of model calls."""

from place import MANUAL, Place
from turns import turns_of


def limits(options, results):
    place = Place(
        options,
        MANUAL,
        rate__platforms={"api_server": {"count": 2, "seconds": 3600}},
        rate__model_calls={"count": 6, "seconds": 3600},
    )
    cases = [("the API answers 429 after its share", _api_rate)]
    turns_of(options, results, "turn (rates)", place, cases)
    place = Place(options, MANUAL, rate__model_calls={"count": 2, "seconds": 3600})
    turns_of(
        options, results, "turn (budget)", place, [("model calls end with the budget", _budget)]
    )


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
