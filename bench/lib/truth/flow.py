"""One incarnation of a flow as the recorder saw it, and what the log has said of it."""

from .records import written


class Flow:
    __slots__ = ("key", "new", "begin", "destroy", "counters", "new_line", "destroy_line", "told", "started", "ended", "exact", "ids", "last", "orphan")

    def __init__(self, key, new, new_line):
        self.key = key
        self.new = new  # µs, the NEW's event time; None = never seen (events were off)
        self.begin = None  # µs, the kernel's start, which only its DESTROY states
        self.destroy = None  # µs, the DESTROY's event time
        self.counters = None  # of the DESTROY
        self.new_line, self.destroy_line = new_line, None
        self.told = False  # a record was made of the NEW itself
        self.started = self.ended = False  # has records of any origin
        self.exact = False  # a record was made of the DESTROY itself
        self.ids = []  # flow_ids that have begun and not ended
        self.last = None  # the last counters in a record
        self.orphan = None  # where its end stands, if that came without a start

    def complete(self):
        return self.told and self.exact and not self.ids and self.orphan is None

    def __str__(self):
        parts = ["flow " + self.key.replace("\t", " ")]
        parts.append(f"NEW {written(self.new)} (event {self.new_line})" if self.new is not None else "no NEW")
        if self.destroy is not None:
            if self.begin is not None:
                parts.append(f"begun {written(self.begin)}")
            parts.append(f"DESTROY {written(self.destroy)} (event {self.destroy_line}), counters {self.counters}")
        return ", ".join(parts)


class Identity:
    """A flow_id that has begun and not ended."""

    __slots__ = ("flow", "since", "run", "where")

    def __init__(self, flow, since, run, where):
        self.flow = flow
        self.since = since  # µs: what the log's clock showed when it was first used
        self.run = run  # of the service, in which it was last announced
        self.where = where
