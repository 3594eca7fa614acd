"""Functions from their registered code."""

import ast
import base64
import builtins
import pickle
from typing import Any, Callable, Dict, Iterable

from .packing import NotLoadable, need_dill, unpack


def function_of_source(body: str) -> Callable[..., Any]:
    """Strategies ``st`` and ``sd``: ``name:source``."""
    name, colon, source = body.partition(":")
    if not colon:
        name, _, source = base64.b64decode(body).decode("utf-8").partition(":")
    # As on the service's workers: exceptions of the source's own classes are shown by their bare names.
    namespace: Dict[str, Any] = {"__name__": "builtins", "__builtins__": builtins}
    exec(compile(source, "<string>", "exec", dont_inherit=True), namespace)
    function = namespace.get(name)
    if callable(function):
        return function
    defined = [node.name for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    raise NotLoadable(
        "The source defines no function %r%s. Choose one of its functions as the entry point."
        % (name, "; it defines " + ", ".join(defined) if defined else " and no other")
    )


def function_of_code(code: str) -> Callable[..., Any]:
    """A function from its packed code."""
    try:
        (buffer,) = unpack(code)
    except ValueError:
        raise NotLoadable("The function's code is not one packed buffer. Register its source again.") from None
    return function_of_buffer(buffer)


def function_of_any(buffers: Iterable[str]) -> Callable[..., Any]:
    """A function from the first of its encodings that can be used here."""
    failures = []
    for buffer in buffers:
        try:
            return function_of_buffer(buffer)
        except Exception as error:
            failures.append(str(error))
    raise NotLoadable("None of the function's encodings can be used here: " + "; ".join(failures))


def function_of_buffer(buffer: str) -> Callable[..., Any]:
    """A function from its serialized code, by the identifier of its strategy.

    Source: Globus Compute SDK 4.15, ``serialize/concretes.py``.
    """
    identifier, _, body = buffer.partition("\n")
    if identifier in ("st", "sd"):
        return function_of_source(body)
    if identifier == "12":
        return function_of_any(unpack(body))
    if identifier == "10":
        # ``identifier\n:body`` again and again. Source text has colons of its own, so that only what is in base64 is whole.
        parts = body.split(":")
        return function_of_any(map("".join, zip(parts[::2], parts[1::2])))
    if identifier in ("01", "02"):
        loads = need_dill("The function").loads if identifier == "01" else pickle.loads
        function: Callable[..., Any] = loads(base64.b64decode(body))
        return function
    if identifier in ("03", "04"):
        name, source = pickle.loads(base64.b64decode(body))
        return function_of_source("%s:%s" % (name, source))
    raise NotLoadable(
        "The function is encoded as %r, which this worker cannot read. Register it as source text (st)." % identifier
    )
