"""Runs one reader over one storm."""

import contextlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass

from . import process, readers

WARM_UP = 50_000  # flows made and flushed before the measured ones: every reader is measured warm (a runtime has compiled its hot path)


@dataclass(frozen=True)
class Result:
    sent: int  # events, warm-up included, as is what was seen and lost
    seen: int
    seen_by_kernel: bool  # the reader keeps no record: sent less refused deliveries
    lost: int  # deliveries the kernel refused
    start_cpu: float  # seconds until joined and at rest
    cpu: float  # seconds, user and system, over the measured storm
    cpu_per_event: float  # of the measured storm's delivered events
    peak_memory: int  # VmHWM, bytes
    new_rate: float  # flows a second that the generator reached


@contextlib.contextmanager
def scratch(name):
    directory = f"{readers.OUT}/{name}-{os.getpid()}"
    os.makedirs(directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextlib.contextmanager
def running(namespace, reader, directory, extra=(), rests=True):
    """The reader in the namespace: joined, buffer raised, at rest (if it ever rests)."""
    for name, content in reader.files:
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(content.format(directory=directory))
    command = namespace.command(*(part.format(directory=directory) for part in (*reader.command, *extra)))
    with open(f"{directory}/stdout", "wb") as out, open(f"{directory}/stderr", "wb") as err, \
            process.started(command, out, err) as program:
        program.wait_joined()
        if reader.force_buffer:
            program.force_receive_buffer(readers.BUFFER)
        if rests:
            program.wait_quiet()
        yield program


def storm(namespace, count, *options):
    """Makes `count` flows (and more, as the generator's options say). Returns what the generator says it made."""
    done = subprocess.run(namespace.command(f"{readers.OUT}/storm", "--count", count, *options), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def over_storm(namespace, reader, count, options, warm_up=WARM_UP):
    with scratch(reader.name) as directory:
        with running(namespace, reader, directory) as program:
            start_cpu = program.cpu_seconds()
            before = {"new": 0, "destroy": 0}
            if warm_up:
                before = storm(namespace, warm_up, *options, "--flush")
                program.wait_quiet()
            cpu, lost = program.cpu_seconds(), program.event_socket()[1]
            made = storm(namespace, count, *options, "--flush")
            program.wait_quiet()
            cpu, lost_then = program.cpu_seconds() - cpu, lost
            lost, peak = program.event_socket()[1], program.memory("VmHWM")
            exit_code = program.stop()
        if exit_code != 0:
            raise process.ReaderFailed(f"stopped, it answered with exit code {exit_code}")
        events = made["new"] + made["destroy"]
        sent = events + before["new"] + before["destroy"]
        seen = sum(reader.counts(directory)) if reader.counts else sent - lost
    return Result(sent, seen, reader.counts is None, lost, start_cpu, cpu, cpu / max(1, events - (lost - lost_then)), peak, made["new"] / made["seconds"])
