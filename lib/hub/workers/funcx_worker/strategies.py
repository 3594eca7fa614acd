"""Results in the encodings that a submission asks for."""

import base64
import json
from typing import Any, Callable, Dict, List

from .packing import need_dill
from .values import not_writable, write_pickle

PREFIX = "globus_compute_sdk.serialize."


def write_json(value: Any) -> str:
    return "11\n" + json.dumps(value)


def write_dill_code(value: Any) -> str:
    return "01\n" + base64.encodebytes(need_dill("The result").dumps(value)).decode("ascii")


def write_all_data(value: Any) -> str:
    buffers: List[str] = []
    failures: List[str] = []
    for write in (write_json, write_pickle):
        try:
            buffers.append(write(value))
        except Exception as error:
            failures.append(str(error))
    if not buffers:
        raise ValueError("; ".join(failures))
    return "13\n" + "".join("%d\n%s" % (len(buffer), buffer) for buffer in buffers)


# Source: Globus Compute SDK 4.15, ``serialize/concretes.py``.
FOR_DATA: Dict[str, Callable[[Any], str]] = {
    PREFIX + "JSONData": write_json,
    PREFIX + "DillDataBase64": write_pickle,
    PREFIX + "AllDataStrategies": write_all_data,
}
FOR_FUNCTIONS: Dict[str, Callable[[Any], str]] = {PREFIX + "DillCode": write_dill_code}

UNKNOWN = "this worker knows none of them, but " + ", ".join([*FOR_DATA, *FOR_FUNCTIONS])


def write_as(value: Any, asked: List[str]) -> str:
    """Writes a result by the first of the strategies asked for that can; those for functions write functions alone."""
    known = FOR_FUNCTIONS if callable(value) else FOR_DATA
    failures: List[str] = []
    for path in asked:
        write = known.get(path)
        name = path.rpartition(".")[2]
        if write is None:
            failures.append("%s is for %s" % (name, "data" if path in FOR_DATA else "functions") if name else UNKNOWN)
            continue
        try:
            return write(value)
        except Exception as error:
            failures.append("%s: %s" % (name, error))
    raise not_writable(value, "by none of the result_serializers asked for (%s)" % "; ".join(failures))
