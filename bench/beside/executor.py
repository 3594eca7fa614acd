"""The SDK's Executor as a client of a hub: so many calls at once, and their results. Started with the URL of the hub."""

import json
import os
import time
from typing import Any, Dict

import globus_compute_sdk.sdk.client as client
from frames import receive, send
from globus_compute_sdk import Executor


def nothing(x):
    return None


def main() -> None:
    # The SDK knows a hub at port 5000 alone; two are measured beside each other here.
    client.get_web_service_url = lambda environment=None: os.environ["FUNCX_BENCH_URL"]
    service = None
    while True:
        asked: Dict[str, Any] = json.loads(receive())
        service = service or client.Client()
        # A new one each time: it keeps something of each task, and slows down with it.
        with Executor(endpoint_id=asked["endpoint"], client=service) as executor:
            start = time.perf_counter()
            futures = [executor.submit(nothing, number) for number in range(asked["tasks"])]
            for future in futures:
                assert future.result(120) is None
            seconds = time.perf_counter() - start
        send(json.dumps({"seconds": seconds}).encode())


if __name__ == "__main__":
    main()
