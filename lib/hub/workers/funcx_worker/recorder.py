"""The flight recorder: what must survive the worker's process."""

import mmap

# A record that is not larger than this is gathered with others before it is written.
GATHER_BYTES = 48 * 1024

# Places of the words that begin the file, see ``Recorder``.
BEGUN, SINCE, GATHERED_COUNT, STOP_FROM, STOP_TO, ENDED, WRITES = range(7)


class Recorder:
    """What must survive this process: which task runs, and results that are finished but not yet written.

    A file mapped by the worker and read by the parent, so that after a crash the parent knows exactly which tasks had
    ended, which one was running, and which had not begun. Layout (little endian):
      u64 begun       sequence + 1 of the task that began last
      f64 since       Unix seconds when it began
      u64 gathered    bytes of finished records waiting at GATHERED
      u64 stop_from, u64 stop_to   written by the parent: tasks of this range that have not begun must not begin
      u64 ended       sequence + 1 of the task that ended last: the worker is idle when it is equal to ``begun``
      u64 writes      how often what was gathered has been written and the place been used anew
    ``begun`` is written before ``stop_from`` is read, and the parent writes ``stop_from`` before it reads ``begun``:
    whichever order they meet in, one of the two sees the other. What the parent has behind that part of the file is not
    mapped here.
    """

    GATHERED = 64

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, self.GATHERED + GATHER_BYTES)
        view = memoryview(self._map)
        self.words = view[: self.GATHERED].cast("Q")
        self.times = view[: self.GATHERED].cast("d")
        self.gathered = view[self.GATHERED :]
