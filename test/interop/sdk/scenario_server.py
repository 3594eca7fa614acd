"""Runs scenarios that a test names: a line of JSON in, a line of JSON out. What scenarios print goes to standard error."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from typing import Any, Callable, Dict, Optional, TypeVar

T = TypeVar("T")
Scenario = Callable[..., Any]

#: Longer than anything takes that is not lost. Unit: seconds.
PATIENCE = 90

_scenarios: Dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Makes a function one that a test may name. Its keyword arguments come from the test; what it returns is JSON."""
    _scenarios[function.__name__] = function
    return function


def serve() -> None:
    """Answers until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # The standard output is for answers alone.
    for line in sys.stdin:
        asked = json.loads(line)
        answer: Dict[str, Any] = {"id": asked["id"]}
        try:
            answer["value"] = _scenarios[asked["scenario"]](**asked["arguments"])
        except BaseException as error:  # Also what is not an Exception is for the test to hear of.
            answer["error"] = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def eventually(ask: Callable[[], Optional[T]], what: str) -> T:
    """Asks until there is an answer other than None."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = ask()
        if answer is not None:
            return answer
        time.sleep(0.05)
    raise TimeoutError(f"No {what} within {PATIENCE} s")


def equal(found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"expected {expected!r:.500}, found {found!r:.500}")


def refused(act: Callable[[], Any], *texts: str) -> BaseException:
    """Does what has to fail, with an error that says all of these."""
    try:
        value = act()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        missing = [text for text in texts if text not in said]
        if missing:
            raise AssertionError(f"the error does not say {missing}: {said}") from error
        return error
    raise AssertionError(f"it should have been refused, and gave {value!r:.500}")
