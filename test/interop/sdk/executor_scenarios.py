"""What a user does with ``globus_compute_sdk.Executor``. Functions are defined here, as in a user's own script."""

from __future__ import annotations

import time
from concurrent.futures import as_completed
from typing import Any, Dict, List, Optional

from globus_compute_sdk import Client, Executor, MPIFunction, ShellFunction
from globus_compute_sdk.errors import TaskExecutionFailed
from globus_compute_sdk.serialize import ComputeSerializer, JSONData, PureSourceTextInspect
from scenario_server import PATIENCE, equal, eventually, refused, scenario, serve


def add(a, b=1):
    return a + b


def double(x):
    return 2 * x


def same(value):
    return value


def slow(seconds, value):
    import time

    time.sleep(seconds)
    return value


def fail(reason):
    try:
        {}[reason]
    except KeyError as error:
        raise ValueError("boom ✓ 😀") from error


def square_root(array):
    import numpy

    return numpy.sqrt(array)


def letters(count):
    return "x" * count


def worker_name():
    import os

    return os.getpid()


def executor(endpoint: str, **options: Any) -> Executor:
    """An executor that does not wait between its requests, which it does by default for the hosted service's sake."""
    return Executor(endpoint_id=endpoint, api_burst_limit=8, api_burst_window_s=1, **options)


@scenario
def submit(endpoint: str, config: Optional[Dict[str, Any]] = None) -> None:
    with executor(endpoint, user_endpoint_config=config) as gce:
        equal(gce.submit(add, 40, b=2).result(PATIENCE), 42)


@scenario
def many(endpoint: str, count: int, config: Optional[Dict[str, Any]] = None) -> float:
    """Results of many calls, each that of its own call. Gives how many a second."""
    with executor(endpoint, user_endpoint_config=config) as gce:
        begun = time.monotonic()
        futures = [gce.submit(double, number) for number in range(count)]
        equal([future.result(PATIENCE) for future in futures], [2 * number for number in range(count)])
        return count / (time.monotonic() - begun)


@scenario
def map_is_not_offered(endpoint: str) -> None:
    with executor(endpoint) as gce:
        refused(lambda: list(gce.map(double, range(3))), "NotImplementedError")


@scenario
def exception(endpoint: str, config: Optional[Dict[str, Any]] = None) -> None:
    with executor(endpoint, user_endpoint_config=config) as gce:
        error = refused(lambda: gce.submit(fail, "gone").result(PATIENCE), "ValueError: boom ✓ 😀", "KeyError: 'gone'")
        equal(type(error), TaskExecutionFailed)


@scenario
def streaming(endpoint: str) -> None:
    """Results come as they complete, not in the order of the calls."""
    with executor(endpoint) as gce:
        late, early = gce.submit(slow, 3, "late"), gce.submit(slow, 0, "early")
        equal([future.result() for future in as_completed([late, early], PATIENCE)], ["early", "late"])


@scenario
def registered(endpoint: str) -> None:
    with executor(endpoint) as gce:
        by_source = gce.register_source_code("def triple(x):\n    return 3 * x\n", "triple")
        by_function = gce.register_function(double)
        equal(gce.submit_to_registered_function(by_source, args=(4,)).result(PATIENCE), 12)
        equal(gce.submit_to_registered_function(by_function, args=(4,)).result(PATIENCE), 8)


@scenario
def shell(endpoint: str, config: Optional[Dict[str, Any]] = None) -> None:
    with executor(endpoint, user_endpoint_config=config) as gce:
        result = gce.submit(ShellFunction("echo 'hello {name} ✓'; echo oops >&2; exit 3"), name="wörld").result(PATIENCE)
        # A worker without folders of tasks' own warns of it, after what the command said.
        equal((result.stdout, result.stderr[:5], result.returncode), ("hello wörld ✓\n", "oops\n", 3))
        result = gce.submit(ShellFunction("sleep 30", walltime=0.5)).result(PATIENCE)
        equal(result.returncode, 124)


@scenario
def mpi_is_refused(endpoint: str, config: Optional[Dict[str, Any]] = None) -> str:
    """Asks for nodes where there are none. Gives what the error says."""
    with executor(endpoint, user_endpoint_config=config) as gce:
        gce.resource_specification = {"num_nodes": 1, "ranks_per_node": 2, "num_ranks": 2}
        return str(refused(lambda: gce.submit(MPIFunction("hostname")).result(PATIENCE), "resource_specification"))


@scenario
def config_is_refused(endpoint: str, config: Dict[str, Any]) -> str:
    with executor(endpoint, user_endpoint_config=config) as gce:
        return str(refused(lambda: gce.submit(add, 1).result(PATIENCE), "422"))


@scenario
def values(endpoint: str, config: Optional[Dict[str, Any]] = None) -> None:
    import numpy

    nested = {"ключ 😀": [1, 2.5, None, True, {"深い": "\u2028"}], "large": 2**80, "tuple": (1, 2), "bytes": b"\x00\xff"}
    array = numpy.arange(10_000, dtype="float64")
    with executor(endpoint, user_endpoint_config=config) as gce:
        echoed, rooted = gce.submit(same, nested), gce.submit(square_root, array)
        equal(echoed.result(PATIENCE), nested)
        equal(bool((rooted.result(PATIENCE) == numpy.sqrt(array)).all()), True)


@scenario
def large_values(endpoint: str, config: Optional[Dict[str, Any]] = None) -> None:
    text = "ab" * 4_500_000
    serializer = ComputeSerializer(PureSourceTextInspect(), JSONData())
    with executor(
        endpoint, user_endpoint_config=config, serializer=serializer, result_serializers=[JSONData()]
    ) as gce:
        equal(gce.submit(same, text).result(PATIENCE) == text, True)


@scenario
def start_work(
    endpoint: str, count: int, seconds: float, config: Optional[Dict[str, Any]] = None
) -> Dict[str, Any]:
    """Submits tasks and goes away without their results, as a script that is killed. Gives the task group."""
    gce = executor(endpoint, user_endpoint_config=config)
    futures = [gce.submit(slow, seconds, number) for number in range(count)]
    eventually(lambda: all(future.task_id for future in futures) or None, "task ids")
    return {"group": str(gce.task_group_id), "tasks": [future.task_id for future in futures]}


@scenario
def reload(endpoint: str, group: str, count: int) -> None:
    """Gets, in another process than the one that submitted, the results of a task group."""
    with executor(endpoint, task_group_id=group) as gce:
        futures = gce.reload_tasks()
        equal(len(futures), count)
        equal(sorted(future.result(PATIENCE) for future in futures), list(range(count)))


@scenario
def submit_and_wait(
    endpoint: str, count: int, seconds: float, config: Optional[Dict[str, Any]] = None
) -> List[str]:
    """Submits work and waits for its results. Gives the errors of those that failed."""
    with executor(endpoint, user_endpoint_config=config) as gce:
        futures = [gce.submit(slow, seconds, number) for number in range(count)]
        errors = []
        for number, future in enumerate(futures):
            try:
                equal(future.result(PATIENCE), number)
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}"[:500])
        return errors


@scenario
def metadata(endpoint: str) -> Dict[str, Any]:
    return dict(Client().get_endpoint_metadata(endpoint))


if __name__ == "__main__":
    serve()
