"""Tables in Markdown, and what they were measured on (never where)."""

import datetime
import os
import platform
import re
import shutil
import subprocess

from . import readers

RESULTS = os.path.join(readers.BENCH, "results")


def table(header, rows):
    """The first column is text, the others numbers."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|--:" * (len(header) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def _first_line(*command):
    if not (os.path.exists(command[0]) or shutil.which(command[0])):
        return None
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else None


def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def surroundings():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [_first_line("conntrack", "--version"), _first_line("ulogd", "--version"), _first_line(readers.OURS, "version"),
                ".NET " + (_first_line("dotnet", "--version") or "none")]
    kernel = re.match(r"[\d.]+", platform.release()).group()
    return (f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}; {_cpu_model()}, {os.cpu_count()} CPUs, {memory:.0f} GiB; "
            f"Linux {kernel} {platform.machine()}; {'; '.join(filter(None, versions))}.\n")


def publish(name, title, body, save):
    text = f"# {title}\n\n{surroundings()}\n{body}"
    print("\n" + text, flush=True)
    if save:
        os.makedirs(RESULTS, exist_ok=True)
        with open(f"{RESULTS}/{name}.md", "w", encoding="utf-8") as file:
            file.write(text)
