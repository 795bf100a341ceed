#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds connections open, asks for a page on each now and then, and writes load.py's line for each request, and which connection it was:

  BEGAN ENDED OUTCOME SERVER NUMBER

A connection that breaks, or that another server answers, is told of once ("!" with a word for it) and not opened again.
Connections are opened and used one after the other, all of them once in --period seconds. When it is stopped, what is under way
comes to its end.
"""
import argparse
import asyncio
import resource
import signal
import time
import urllib.parse


class Connection:
    """One connection, and who answered on it first."""

    def __init__(self, number, url, options):
        self.number, self.url, self.timeout = number, urllib.parse.urlsplit(url), options.timeout
        ours = [a for a in options.source if (':' in a) == (':' in self.url.hostname)]
        self.source = (ours[0], 0) if ours else None
        self.reader = self.writer = self.server = None
        self.asks = self.is_last = False

    async def ask(self):
        """The first word of the answer."""
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection(
                self.url.hostname, self.url.port or 80, local_addr=self.source)
        self.writer.write(f'GET {self.url.path or "/"} HTTP/1.1\r\nHost: {self.url.netloc}\r\n\r\n'.encode())
        head = (await self.reader.readuntil(b'\r\n\r\n')).decode().lower()
        length = int(head.split('content-length:')[1].split()[0])
        server = (await self.reader.readexactly(length)).decode().split()[0]
        if self.server and server != self.server:
            raise ConnectionError(f'was-{self.server}')
        self.server = server
        return server

    async def run(self, first_s, period_s):
        due = time.time() + first_s
        while not self.is_last:
            await asyncio.sleep(max(0, due - time.time()))
            self.asks = True
            due = max(due + period_s, time.time())
            began = time.time()
            try:
                outcome, server = 'ok', await asyncio.wait_for(self.ask(), self.timeout)
            except (OSError, EOFError, asyncio.TimeoutError) as why:
                outcome, server = f'!{type(why).__name__}:{str(why).replace(" ", "-")}', '-'
            print(f'{began:.6f} {time.time():.6f} {outcome} {server} {self.number}', flush=True)
            self.asks = False
            if server == '-':
                return


async def hold(options):
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = {}
    for n in range(options.connections):
        connection = Connection(n, options.urls[n % len(options.urls)], options)
        tasks[connection] = asyncio.create_task(
            connection.run(n * options.period / options.connections, options.period))
    await stop.wait()
    for connection, task in tasks.items():
        connection.is_last = True
        if not connection.asks:
            task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--connections', type=int, default=100)
    parser.add_argument('--period', type=float, default=1, help='seconds (1)')
    parser.add_argument('--timeout', type=float, default=5, help='seconds (5)')
    parser.add_argument('--source', action='append', default=[], help='address that connections come from, one for each family')
    parser.add_argument('urls', nargs='+')
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(hold(options))


main()
