"""What a user does with ``globus_compute_sdk.Client``. Functions are defined here, as in a user's own script."""

from __future__ import annotations

import time
import uuid
from typing import Any, Dict, List

import globus_compute_sdk.serialize as serialize
from globus_compute_sdk import Client
from globus_compute_sdk.errors import TaskExecutionFailed, TaskPending
from scenario_server import equal, eventually, refused, scenario, serve

CODE_STRATEGIES = (
    "DillCode",
    "DillCodeSource",
    "DillCodeTextInspect",
    "CombinedCode",
    "PureSourceTextInspect",
    "PureSourceDill",
    "AllCodeStrategies",
)
DATA_STRATEGIES = ("DillDataBase64", "JSONData", "AllDataStrategies")

NOWHERE = "00000000-0000-4000-8000-000000000000"


def add(a, b=1):
    """Adds two numbers."""
    return a + b


def fail(reason):
    try:
        {}[reason]
    except KeyError as error:
        raise ValueError("boom ✓ 😀") from error


def slow(seconds):
    import time

    time.sleep(seconds)
    return seconds


def function_as_result():
    return lambda: 42


def letters(count):
    return "x" * count


def same(value):
    return value


def mean_of(values):
    import numpy

    return float(numpy.asarray(values).mean())


def square_root(array):
    import numpy

    return numpy.sqrt(array)


def result_of(client: Client, task_id: str) -> Any:
    """The result of a task, asked for until it is there."""

    def ask() -> Any:
        try:
            return (client.get_result(task_id),)
        except TaskPending:
            return None

    return eventually(ask, f"result of {task_id}")[0]


def source_and_json() -> Client:
    """A client that needs no dill in the worker's Python."""
    return Client(
        code_serialization_strategy=serialize.PureSourceTextInspect(),
        data_serialization_strategy=serialize.JSONData(),
    )


def run(client: Client, endpoint: str, function: Any, *args: Any, **kwargs: Any) -> Any:
    function_id = client.register_function(function)
    return result_of(client, client.run(*args, endpoint_id=endpoint, function_id=function_id, **kwargs))


@scenario
def code_strategy(endpoint: str, name: str) -> None:
    client = Client(code_serialization_strategy=getattr(serialize, name)())
    equal(run(client, endpoint, add, 40, b=2), 42)


@scenario
def data_strategy(endpoint: str, name: str) -> None:
    strategy = getattr(serialize, name)
    client = Client(data_serialization_strategy=strategy())
    batch = client.create_batch(result_serializers=[f"globus_compute_sdk.serialize.{name}"])
    batch.add(client.register_function(add), (40,), {"b": 2})
    reply = client.batch_run(endpoint, batch)
    [[task_id]] = reply["tasks"].values()
    equal(result_of(client, task_id), 42)


@scenario
def result_refused(endpoint: str, function: str, strategies: List[str]) -> str:
    """Asks for a result in a way that the worker cannot write it. Gives what the error says."""
    client = source_and_json()
    batch = client.create_batch(result_serializers=strategies)
    batch.add(client.register_function(globals()[function]), (40,) if function == "add" else ())
    [[task_id]] = client.batch_run(endpoint, batch)["tasks"].values()
    return str(refused(lambda: result_of(client, task_id)))


@scenario
def default_strategies(endpoint: str) -> str:
    """What the SDK does if nothing is said. Gives what an error says."""
    try:
        return str(run(Client(), endpoint, add, 40, b=2))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@scenario
def source_code(endpoint: str, data: str = "DillDataBase64") -> None:
    client = Client(data_serialization_strategy=getattr(serialize, data)())
    source = "import math\n\nSCALE = 2\n\ndef area(radius):\n    '''π·r²'''\n    return SCALE * math.pi * radius ** 2\n"
    function_id = client.register_source_code(source, "area")
    batch = client.create_batch(result_serializers=[f"globus_compute_sdk.serialize.{data}"])
    batch.add(function_id, (1,))
    [[task_id]] = client.batch_run(endpoint, batch)["tasks"].values()
    equal(round(result_of(client, task_id), 4), 6.2832)


@scenario
def get_function() -> None:
    client = Client(code_serialization_strategy=serialize.PureSourceTextInspect())
    function_id = client.register_function(add)
    found = client.get_function(function_id)
    equal(found["function_uuid"], function_id)
    equal(found["function_name"], "add")
    equal(found["description"], "Adds two numbers.")
    [buffer] = client.fx_serializer.unpack_buffers(found["function_code"])
    equal(client.fx_serializer.deserialize(buffer)(40, 2), 42)


@scenario
def delete_function(endpoint: str) -> None:
    client = Client()
    function_id = client.register_function(add)
    equal(run(client, endpoint, add, 1), 2)
    client.delete_function(function_id)
    refused(lambda: client.run(1, endpoint_id=endpoint, function_id=function_id), "404", "FUNCTION_NOT_FOUND")
    refused(lambda: client.get_function(function_id), "404", "FUNCTION_NOT_FOUND")


@scenario
def task_states(endpoint: str) -> None:
    client = Client()
    function_id = client.register_function(slow)
    task_id = client.run(3, endpoint_id=endpoint, function_id=function_id)
    equal(client.get_task(task_id)["pending"], True)
    error = refused(lambda: client.get_result(task_id))
    equal(type(error).__name__, "TaskPending")
    equal(client.get_batch_result([task_id])[task_id]["pending"], True)
    equal(result_of(client, task_id), 3)
    task = client.get_task(task_id)
    equal((task["pending"], task["status"], task["result"]), (False, "success", 3))
    equal(abs(time.time() - float(task["completion_t"])) < 60, True)
    # A result that was read is there for the next who asks.
    equal(Client().get_result(task_id), 3)


@scenario
def batch(endpoint: str, count: int) -> None:
    client = Client()
    adding, echoing = client.register_function(add), client.register_function(same)
    tasks = client.create_batch()
    for number in range(count):
        tasks.add(adding, (number,), {"b": 1})
        tasks.add(echoing, (f"text {number} 😀",))
    reply = client.batch_run(endpoint, tasks)
    equal(reply["endpoint_id"], endpoint)
    ids = reply["tasks"]
    everything = ids[adding] + ids[echoing]

    def ask() -> Any:
        found = client.get_batch_result(everything)
        return found if len(found) == len(everything) and not any(t["pending"] for t in found.values()) else None

    found = eventually(ask, "results of the batch")
    equal([found[task]["result"] for task in ids[adding]], [number + 1 for number in range(count)])
    equal([found[task]["result"] for task in ids[echoing]], [f"text {number} 😀" for number in range(count)])


@scenario
def exception(endpoint: str) -> None:
    error = refused(lambda: run(Client(), endpoint, fail, "gone"), "ValueError: boom ✓ 😀")
    equal(type(error), TaskExecutionFailed)
    text = str(error)
    for part in ("KeyError: 'gone'", "The above exception was the direct cause of the following exception", "in fail"):
        equal(part if part in text else text, part)


@scenario
def values(endpoint: str) -> None:
    client = Client()
    nested: Dict[str, Any] = {
        "ключ 😀": [1, 2.5, None, True, {"深い": ["\u0000", "\u2028", 'quote " and \\']}],
        "large": 2**80,
        "negative": -(2**63),
    }
    equal(run(client, endpoint, same, nested), nested)
    # What JSON does not have: the SDK sends it by dill unless told otherwise.
    for value in ((1, 2), {3, 4}, b"\x00\xff", complex(1, 2)):
        equal(run(client, endpoint, same, value), value)


@scenario
def large_values(endpoint: str) -> None:
    client = source_and_json()
    text = "ab" * 4_500_000
    function_id = client.register_function(same)
    tasks = client.create_batch(result_serializers=["globus_compute_sdk.serialize.JSONData"])
    tasks.add(function_id, (text,))
    [[task_id]] = client.batch_run(endpoint, tasks)["tasks"].values()
    equal(result_of(client, task_id) == text, True)


@scenario
def too_large(endpoint: str) -> None:
    client = Client(data_serialization_strategy=serialize.JSONData())
    function_id = client.register_function(same)
    refused(lambda: client.run("x" * 11_000_000, endpoint_id=endpoint, function_id=function_id), "413", "TOO_LARGE")
    tasks = client.create_batch(result_serializers=["globus_compute_sdk.serialize.JSONData"])
    tasks.add(client.register_function(letters), (11_000_000,))
    [[task_id]] = client.batch_run(endpoint, tasks)["tasks"].values()
    refused(lambda: result_of(client, task_id), "10485760")


@scenario
def arrays(endpoint: str) -> None:
    import numpy

    client = Client()
    equal(run(client, endpoint, mean_of, [1, 2, 6]), 3.0)
    array = numpy.arange(10_000, dtype="float64").reshape(100, 100)
    equal(bool((run(client, endpoint, square_root, array) == numpy.sqrt(array)).all()), True)


@scenario
def endpoints(endpoint: str, role: str) -> Dict[str, Any]:
    client = Client()
    listed = {each["uuid"]: each for each in client.get_endpoints(role=role)}
    equal(endpoint in listed, True)
    metadata = client.get_endpoint_metadata(endpoint)
    equal(metadata["uuid"], endpoint)
    return {"listed": listed[endpoint], "metadata": metadata, "status": client.get_endpoint_status(endpoint)}


@scenario
def becomes(endpoint: str, status: str) -> None:
    """Waits until an endpoint is online, or offline."""
    client = Client()
    eventually(lambda: client.get_endpoint_status(endpoint)["status"] == status or None, f"status {status}")


@scenario
def console(endpoint: str, engine: str, least: int) -> Dict[str, Any]:
    """What is shown of the user endpoint with an engine that has done so many tasks, once all of its workers are idle."""
    client = Client()
    path = f"/v3/endpoints/{endpoint}/console"

    def ask() -> Any:
        found = client._compute_web_client.v3.get(path)["user_endpoints"]
        idle = (each for each in found if 0 < each["total_worker_count"] == each["idle_worker_count"])
        return next((each for each in idle if each["executed_task_count"] >= least and each["engine_type"] == engine), None)

    one = eventually(ask, f"{engine} that waits for tasks")
    query = {"user_endpoint_id": one["user_endpoint_id"], "include_fields": "config"}
    [chosen] = client._compute_web_client.v3.get(path, query_params=query)["user_endpoints"]
    equal(sorted(chosen), ["active", "config", "user_endpoint_id"])
    return {**one, **chosen}


@scenario
def refusals(endpoint: str) -> None:
    client = Client()
    function_id = client.register_function(add)
    refused(lambda: client.run(1, endpoint_id=NOWHERE, function_id=function_id), "404", "ENDPOINT_NOT_FOUND")
    refused(lambda: client.run(1, endpoint_id=endpoint, function_id=NOWHERE), "404", "FUNCTION_NOT_FOUND")
    refused(lambda: client.get_task(str(uuid.uuid4())), "404", "TASK_NOT_FOUND")
    refused(lambda: client.get_function("not a uuid"), "4")


@scenario
def wrong_secret() -> None:
    refused(lambda: Client().get_endpoints(), "401")


@scenario
def of_another_user(task_id: str, function_id: str, endpoint: str) -> None:
    """Run by another user: what is not shared cannot be seen or used."""
    client = Client()
    refused(lambda: client.get_task(task_id), "404")
    refused(lambda: client.run(1, endpoint_id=endpoint, function_id=function_id), "403")
    path = f"/v3/endpoints/{endpoint}/console"
    refused(lambda: client._compute_web_client.v3.get(path), "403", "ENDPOINT_ACCESS_FORBIDDEN")


@scenario
def for_another_user(endpoint: str) -> Dict[str, str]:
    client = Client()
    function_id = client.register_function(add)
    task_id = client.run(1, endpoint_id=endpoint, function_id=function_id)
    equal(result_of(client, task_id), 2)
    return {"task_id": task_id, "function_id": function_id}


@scenario
def start_work(endpoint: str, count: int, seconds: float) -> List[str]:
    """Submits tasks and does not wait for them."""
    client = Client()
    tasks = client.create_batch()
    function_id = client.register_function(slow)
    for _ in range(count):
        tasks.add(function_id, (seconds,))
    return client.batch_run(endpoint, tasks)["tasks"][function_id]


@scenario
def wait_for(task_ids: List[str], least: int) -> Dict[str, Any]:
    """Waits until so many of these have ended. Gives how many ended well, and why the others did not."""
    client = Client()

    def ask() -> Any:
        found: Dict[str, Any] = {}
        for start in range(0, len(task_ids), 128):
            # Not get_batch_result, which leaves out what has failed.
            found.update(client._compute_web_client.v2.get_task_batch(task_ids[start : start + 128])["results"])
        ended = [task for task in found.values() if task.get("completion_t")]
        return ended if len(ended) >= least else None

    ended = eventually(ask, f"{least} results")
    failures = [task.get("exception", "") for task in ended if task["status"] == "failed"]
    return {"succeeded": len(ended) - len(failures), "failures": failures}


if __name__ == "__main__":
    serve()
