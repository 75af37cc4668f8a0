"""A plain web server for benchmarks: serves the files of a folder from memory, as fast as one Python process can.

python benchmarks/loopback.py FOLDER      # prints its port, serves until its standard input is closed
"""

import asyncio
import sys
from pathlib import Path

TYPES = {".jpg": b"image/jpeg", ".txt": b"text/plain"}


class Serve(asyncio.Protocol):
    """HTTP/1.1 with kept connections; GET only, no conditions, no ranges."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self.answers = answers
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            request, self.buffer = self.buffer[:end], self.buffer[end + 4 :]
            path = request.split(b" ", 2)[1].split(b"?", 1)[0]
            self.transport.write(self.answers.get(path, MISSING))


MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


async def serve(folder: Path) -> None:
    answers = {}
    for path in sorted(folder.iterdir()):
        body = path.read_bytes()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        answers[f"/{path.name}".encode()] = head % (TYPES.get(path.suffix, b"text/plain"), len(body)) + body
    server = await asyncio.get_running_loop().create_server(lambda: Serve(answers), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
