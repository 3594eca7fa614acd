"""The id of the running task, as user code finds it in its environment."""

import os

NAME = "GC_TASK_UUID"
_ENCODED_NAME = os.fsencode(NAME)
_environ = os.environ
# What os.environ keeps beside the process's own environment: bytes by bytes on POSIX.
_kept = getattr(_environ, "_data", None) if os.name == "posix" else None


def set_task_id(task_id: str) -> None:
    """What ``os.environ[NAME] = task_id`` does, without encoding the name anew for every task."""
    if _kept is None or os.environ is not _environ:
        os.environ[NAME] = task_id
        return
    value = task_id.encode("ascii")
    os.putenv(_ENCODED_NAME, value)
    _kept[_ENCODED_NAME] = value
