"""Moves of translated TCP by the reclassifier: what the clients' own sockets say. The long form of the kernel tests in Reclassify/Moves."""

import os
import subprocess
import tempfile

from . import readers, report

PROJECT = os.path.join(readers.BENCH, "..", "tests", "Kernel.Tests")
CLASSES = [f"ConntrackStream.Kernel.Tests.Reclassify.Moves.{name}" for name in ("MoveMatrixTests", "MoveControlTests")]
COLUMNS = ("connections", "flows", "moved", "stayed", "reset again", "failed", "hung", "servers reset", "median s", "longest s")
EXPLANATION = """
Two masqueraded uplinks, marks as mwan3 sets them; the address of the server comes into the set of wan2 while the connections run.
`moved`: the client's socket was reset once, the client connected again by wan2, and that connection carries data. `hung`: no error and
no data for 5 s (3 s in the last rows). The times are from the addition to the set to the client's reset; clients that are idle or do not
read wake once the reclassifier has logged something about their connection. The latency is between client and gateway, each way, by a
relay over TAP devices. The last rows are the negative control: the same kit, but entries are deleted without a reset before.
"""


def run(args):
    subprocess.run(["dotnet", "build", PROJECT, "-c", "Release", "-v", "q", "--nologo"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.NamedTemporaryFile("r", suffix=".md", encoding="utf-8") as rows:
        environment = {**os.environ, "CONNTRACKSTREAM_MOVES": str(args.flows), "CONNTRACKSTREAM_MOVES_RESULT": rows.name}
        command = ["dotnet", "run", "--no-build", "-c", "Release", "--project", PROJECT, "--"]
        command += [word for name in CLASSES for word in ("-class", name)]
        done = subprocess.run(command, env=environment, check=False)
        lines = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in rows]
    lines.sort(key=lambda line: line[0].startswith("deleted first"))
    report.publish("moves", f"Moves of {args.flows} TCP connections a row", report.table(COLUMNS, lines) + EXPLANATION, args.save)
    return done.returncode
