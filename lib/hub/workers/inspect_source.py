"""Answers questions about Python for the editor, without running any of the user's code. Standard library only, 3.8+.

``python3 inspect_source.py describe`` tells which interpreter this is.
``python3 inspect_source.py functions`` reads a source text (UTF-8) from stdin and tells which functions it defines at the
top level, or what is wrong with it, as this very interpreter sees it.

The answer is one line of JSON, the last one on stdout: a ``sitecustomize`` may have printed something before.

The file must not be called ``inspect.py``: it shares its directory with ``worker.py``, and a script's directory comes
first in the search for modules.
"""

import ast
import json
import platform
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
Parameter = Dict[str, str]


def dill_version() -> Optional[str]:
    """The version of dill, or None where it is missing. It is not imported: that alone takes longer than all the rest."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:
        return None
    try:
        return version("dill")
    except PackageNotFoundError:
        return None


def describe() -> Dict[str, Any]:
    return {
        "executable": sys.executable,
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "dill": dill_version(),
    }


def described(argument: ast.arg, kind: str, default: Optional[ast.expr], source: str) -> Parameter:
    parameter = {"name": argument.arg, "kind": kind}
    if default is not None:
        parameter["default"] = ast.get_source_segment(source, default) or ""
    if argument.annotation is not None:
        parameter["annotation"] = ast.get_source_segment(source, argument.annotation) or ""
    return parameter


def parameters_of(function: Function, source: str) -> Iterator[Parameter]:
    """The parameters in the order in which they are written."""
    arguments = function.args
    positional: List[Tuple[ast.arg, str]] = [(argument, "positional-only") for argument in arguments.posonlyargs]
    positional += [(argument, "positional") for argument in arguments.args]
    # Defaults belong to the last of the positional parameters.
    required = len(positional) - len(arguments.defaults)
    for index, (argument, kind) in enumerate(positional):
        default = arguments.defaults[index - required] if index >= required else None
        yield described(argument, kind, default, source)
    if arguments.vararg is not None:
        yield described(arguments.vararg, "var-positional", None, source)
    for argument, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        yield described(argument, "keyword", keyword_default, source)
    if arguments.kwarg is not None:
        yield described(arguments.kwarg, "var-keyword", None, source)


def functions_of(source: str) -> Dict[str, Any]:
    try:
        # Beyond parsing, compiling finds errors such as a `return` outside of a function.
        compile(source, "<function>", "exec", dont_inherit=True)
        tree = ast.parse(source, "<function>")
    except SyntaxError as error:
        problem = {"line": error.lineno or 1, "column": error.offset or 1, "message": error.msg}
        return {"ok": False, "error": problem}
    except (ValueError, RecursionError, MemoryError) as error:
        # Null bytes; nesting that this interpreter cannot parse.
        problem = {"line": 1, "column": 1, "message": str(error) or type(error).__name__}
        return {"ok": False, "error": problem}
    functions = [
        {
            "name": node.name,
            "line": node.lineno,
            "doc": ast.get_docstring(node) or "",
            "async": isinstance(node, ast.AsyncFunctionDef),
            "parameters": list(parameters_of(node, source)),
        }
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    return {"ok": True, "functions": functions}


if __name__ == "__main__":
    if sys.argv[1] == "describe":
        answer = describe()
    else:
        answer = functions_of(sys.stdin.buffer.read().decode("utf-8"))
    print("\n" + json.dumps(answer))
