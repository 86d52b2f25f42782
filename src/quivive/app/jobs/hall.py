"""The processes that judge, made before anything is opened that they must not share."""

import socket
from collections.abc import Callable
from multiprocessing import get_all_start_methods, get_context

from quivive.app.errors import UsageError
from quivive.app.jobs.wire import BUFFER
from quivive.app.jobs.worker import Bench, run

PATIENCE = 10.0  # seconds for a process to end


class Hall:
    """The processes, from before anything is opened that must not be shared."""

    def __init__(self, jobs: int, make: Callable[[], Bench]) -> None:
        """Each process calls ``make`` once it is told to begin."""
        if "fork" not in get_all_start_methods():
            raise UsageError("--jobs needs a system that can fork a process; leave it out here")
        context = get_context("fork")
        ends = [socket.socketpair() for _ in range(jobs)]
        self.ends = [mine for mine, _ in ends]
        self._processes = []
        for number, (_, theirs) in enumerate(ends):
            others = [end for pair in ends for end in pair if end is not theirs]
            process = context.Process(
                target=_begin, args=(theirs, others, number == 0, make), daemon=True
            )
            process.start()
            self._processes.append(process)
        for mine, theirs in ends:
            theirs.close()
            for way in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                mine.setsockopt(socket.SOL_SOCKET, way, BUFFER)

    def close(self) -> None:
        """Ends the processes."""
        for end in self.ends:
            end.close()
        for process in self._processes:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()


def _begin(
    end: socket.socket, others: list[socket.socket], first: bool, make: Callable[[], Bench]
) -> None:
    for other in others:
        other.close()  # or nobody would ever see it end
    if end.recv(1):
        run(end, first, make)
