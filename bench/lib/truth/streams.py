"""The files that grow while they are read: the recorder's segments and the journal of the run."""

import json
import os
import time


class Recorder:
    """Lines of DIRECTORY/events.000001 and on, as they come. A segment is removed once read, unless it is to be kept."""

    def __init__(self, directory, keep):
        self._directory, self._keep = directory, keep
        self._number, self._file, self._rest = 0, None, b""
        self._ended = False  # the recorder was gone before the last look

    def _path(self, number):
        return f"{self._directory}/events.{number:06}"

    def __call__(self):
        """The next lines; an empty list when there are none now; None at the end."""
        if self._file is None:
            self._number += 1
            while not os.path.exists(self._path(self._number)):
                time.sleep(0.01)
            self._file = open(self._path(self._number), "rb")
        followed = os.path.exists(self._path(self._number + 1))  # before the read: then nothing comes after it
        gone = os.path.exists(f"{self._directory}/done")
        data = self._file.read(1 << 20)
        if data:
            lines = (self._rest + data).split(b"\n")
            self._rest = lines.pop()
            return [line.decode("ascii") for line in lines]
        if followed:
            self._file.close()
            self._file = None
            if not self._keep:
                os.unlink(self._path(self._number))
            return self()
        return None if gone else []


def journal(path):
    """Its entries, waiting for more until the one that says `end`."""
    rest = b""
    with open(path, "rb") as file:
        while True:
            data = file.read()
            if not data:
                time.sleep(0.1)
                continue
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            for line in lines:
                entry = json.loads(line)
                yield entry
                if entry["what"] == "end":
                    return
