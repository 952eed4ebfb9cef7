"""What the messages of one host prove: which records of its runs are missing, and which are there twice."""

import collections
import hashlib
import re
from dataclasses import dataclass, field


class Impossible(Exception):
    """A message that no node may have sent."""


@dataclass
class Proof:
    messages: int = 0
    records: int = 0  # each once
    runs: int = 0
    missing: int = 0
    lost: int = 0  # records that gaps of the node itself stand for
    copies: int = 0  # messages stored again under the same id, with the same content
    other_copies: int = 0  # records that are there again under another id
    kinds: collections.Counter = field(default_factory=collections.Counter)  # event -> records
    gaps: collections.Counter = field(default_factory=collections.Counter)  # reason -> records


def prove(messages):
    proof, seen, runs, previous = Proof(), {}, collections.defaultdict(list), {}
    for headers, payload in messages:
        proof.messages += 1
        words = headers["Conntrack-Sequence"].split()
        is_loss = words[-1] == "loss"
        words = words[:-1] if is_loss else words
        run, first, last = words[0], int(words[1]), int(words[2])
        numbers = [int(number) for number in re.findall(rb'"seq":(\d+)', payload)]
        if numbers != ([first] if is_loss else list(range(first, last + 1))):
            raise Impossible(f"{headers}: its lines have the numbers {numbers[:3]}…")
        digest = hashlib.blake2b(payload).digest()
        before = seen.setdefault(headers["Nats-Msg-Id"], digest)
        if before is not digest:
            if before != digest:
                raise Impossible(f"{headers}: another message has the same id")
            proof.copies += 1
            continue
        if len(words) == 5:
            previous[run] = (words[3], int(words[4]))
        runs[run].append((first, last))
        proof.lost += last - first + 1 if is_loss else 0
        proof.kinds.update(kind.decode() for kind in re.findall(rb'"event":"(\w+)"', payload))
        proof.gaps.update(reason.decode() for reason in re.findall(rb'"event":"gap".*?"reason":"(\w+)"', payload))
    proof.runs = len(runs)
    for run, spans in runs.items():
        _add(proof, spans)
    for before, last in previous.values():
        if before in runs:
            proof.missing += max(0, last - max(end for _, end in runs[before]))
    return proof


def _add(proof, spans):
    """The numbers of a run begin with 1."""
    end = 0
    for first, last in sorted(spans):
        proof.missing += max(0, first - end - 1)
        proof.other_copies += max(0, min(last, end) - first + 1)
        proof.records += max(0, last - max(end, first - 1))
        end = max(end, last)


def self_test():
    """Plants each fault among made-up messages."""
    def message(run, first, last, *more, ident=None):
        lines = b"".join(b'{"event":"start","seq":%d}\n' % number for number in range(first, last + 1))
        return {"Conntrack-Sequence": " ".join(map(str, (run, first, last, *more))), "Nats-Msg-Id": ident or f"h-{run}-{first}"}, lines

    def expect(messages, **figures):
        found = prove(messages)
        wrong = {name: getattr(found, name) for name, value in figures.items() if getattr(found, name) != value}
        assert not wrong, f"{figures} expected, found {wrong}"

    whole = [message("a", 1, 3), message("a", 4, 6), message("b", 1, 2, "a", 6)]
    expect(whole, records=8, runs=2, missing=0, copies=0, other_copies=0)
    expect(whole[:1] + whole[2:], records=5, missing=3)
    expect(whole[1:], missing=3)
    expect([whole[0], message("a", 4, 5), whole[2]], missing=1)  # the end of a run, by what the next one says of it
    expect(whole + whole[1:2], copies=1, missing=0)
    expect(whole + [message("a", 5, 6, ident="h-a-other")], other_copies=2)
    for wrong in ((whole[0][0], whole[0][1] + b'{"seq":9}\n'), (whole[0][0], whole[0][1].replace(b"start", b"end"))):
        try:
            prove(whole + [wrong])
        except Impossible:
            continue
        raise AssertionError("an impossible message was accepted")
