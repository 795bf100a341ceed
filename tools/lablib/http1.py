# SPDX-License-Identifier: BSD-2-Clause
"""As much of an HTTP/1.1 client as the load generator needs: one request at a time, Content-Length bodies."""
import asyncio
import os
import time
from dataclasses import dataclass

MOST_HEADERS = 64
MOST_BODY_BYTES = 1 << 20


class Broken(Exception):
    """The connection is of no more use; says why."""


@dataclass
class Answer:
    status: int
    headers: dict  # lower-case names
    length: int


class Connection:
    def __init__(self, address, port):
        self.address, self.port = address, port
        self.asked = time.monotonic()  # when the connection was asked for
        self.requests = 0
        self._reader = self._writer = None

    async def request(self, method, path, keep):
        """Sends one request and reads all of its answer."""
        try:
            return await self._request(method, path, keep)
        except (OSError, EOFError, ValueError) as why:
            raise Broken(_sentence(why)) from why

    async def _request(self, method, path, keep):
        if not self._writer:
            self._reader, self._writer = await asyncio.open_connection(self.address, self.port)
        self.requests += 1
        host = f'[{self.address}]' if ':' in self.address else self.address
        length = 'Content-Length: 0\r\n' if method != 'GET' else ''
        self._writer.write((f'{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}'
                            f'Connection: {"keep-alive" if keep else "close"}\r\n\r\n').encode())
        status, headers = await self._head()
        length = int(headers['content-length'])
        if not 0 <= length <= MOST_BODY_BYTES:
            raise ValueError(f'an answer of {length} bytes')
        await self._reader.readexactly(length)
        return Answer(status, headers, length)

    async def _head(self):
        first = (await self._line()).split()
        if len(first) < 2 or first[0] != 'HTTP/1.1':
            raise ValueError('an answer that is not HTTP/1.1')
        headers = {}
        for _ in range(MOST_HEADERS):
            line = await self._line()
            if not line:
                break
            name, _, value = line.partition(':')
            headers[name.lower()] = value.strip()
        if 'content-length' not in headers:
            raise ValueError('an answer without Content-Length')
        return int(first[1]), headers

    async def _line(self):
        return (await self._reader.readuntil(b'\r\n')).decode('latin-1').rstrip()

    def close(self):
        if self._writer:
            self._writer.close()


def _sentence(why):
    if isinstance(why, EOFError):
        return 'the connection was closed before the answer was whole'
    if isinstance(why, OSError) and why.errno:
        return os.strerror(why.errno)
    return str(why) or type(why).__name__
