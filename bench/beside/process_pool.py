"""What a Python program would use instead: ``ProcessPoolExecutor(2)``, one submit and one result a task."""

import json
import time
from concurrent.futures import ProcessPoolExecutor

from frames import receive, send


def f(x: int) -> int:
    return x


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        while True:
            asked = json.loads(receive())
            seconds = 0.0
            for batch in range(asked["batches"]):
                values = range(batch * asked["tasks"], (batch + 1) * asked["tasks"])
                start = time.perf_counter()
                futures = [pool.submit(f, value) for value in values]
                results = [future.result() for future in futures]
                seconds += time.perf_counter() - start
                assert results == list(values)
            send(json.dumps({"seconds": seconds}).encode())


if __name__ == "__main__":
    main()
