"""Reads a stream of NATS JetStream message by message, over the server's own protocol: shares no code or library with what wrote it."""

import base64
import json
import socket


class Stream:
    def __init__(self, address, port, name):
        self._name = name
        self._socket = socket.create_connection((address, port), timeout=30)
        self._file = self._socket.makefile("rb")
        self._file.readline()  # INFO
        self._socket.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB answers.* 1\r\n')
        self._requests = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()

    def messages(self):
        """(headers, payload) of each message, in order."""
        state = self._ask(f"STREAM.INFO.{self._name}", {})["state"]
        for number in range(state["first_seq"], state["last_seq"] + 1):
            answer = self._ask(f"STREAM.MSG.GET.{self._name}", {"seq": number})["message"]
            lines = base64.b64decode(answer["hdrs"]).decode("ascii").split("\r\n")[1:]
            yield dict(line.split(": ", 1) for line in lines if line), base64.b64decode(answer["data"])

    def _ask(self, subject, question):
        self._requests += 1
        inbox, body = f"answers.{self._requests}", json.dumps(question).encode()
        self._socket.sendall(f"PUB $JS.API.{subject} {inbox} {len(body)}\r\n".encode() + body + b"\r\n")
        while True:
            words = self._file.readline().decode("ascii").split()
            if words[:1] == ["PING"]:
                self._socket.sendall(b"PONG\r\n")
            elif words[:1] in (["MSG"], ["HMSG"]):
                data = self._file.read(int(words[-1]) + 2)[:-2]
                if words[1] == inbox:
                    answer = json.loads(data)
                    if "error" in answer:
                        raise OSError(f"{subject}: {answer['error']}")
                    return answer
            elif not words or words[0] == "-ERR":
                raise OSError(f"{subject}: the server said {' '.join(words) or 'nothing more'}")
