#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The load generator: runs on the lab's client and asks the web VIPs for pages.

Requests are due at a steady rate, whether or not the ones before were answered, and their latency counts
from then on. Half of them open a connection, half go over one of a few kept alive; half use IPv4, half IPv6.

Nothing is sent twice: a request whose connection is lost before its answer is whole is a failure, and so is
every answer but 200.
"""
import argparse
import asyncio
import itertools
import json
import os
import signal
import sys
import time
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# pylint: disable=wrong-import-position
from lablib import samples, topology
from lablib.http1 import Broken, Connection

MOST_IN_FLIGHT = 500
KEPT = 8  # connections of a family that carry many requests, in turn
# What is asked for in turn; {} becomes a key of its own, by which the database counts a visit but once.
PAGES = ('GET /', 'GET /blob.bin', 'GET /app/whoami', 'GET /app/news', 'PUT /app/visits/{}')


def options(parser):
    """Adds the options that `tools/lab load` takes too."""
    parser.add_argument('--rate', type=_positive, default=100, metavar='N', help='requests a second (100)')
    parser.add_argument('--duration', type=_positive, default=10, metavar='S', help='seconds (10)')
    parser.add_argument('--timeout', type=_positive, default=3, metavar='S',
                        help='seconds after which an attempt is given up (3)')
    parser.add_argument('--samples', metavar='FILE', help='write every request as a line of JSON')
    parser.add_argument('--json', action='store_true', help='print the summary as JSON')
    return parser


def _positive(word):
    value = float(word)
    if not 0 < value <= 100000:
        raise argparse.ArgumentTypeError(f'{word} is not between 0 and 100000')
    return value


class Client:
    def __init__(self, timeout_s, file):
        self.timeout_s = timeout_s
        self.file = file
        self.samples = []
        self.kept = {4: [], 6: []}
        self.addresses = {address.version: str(address) for address in topology.WEB.addresses()}

    async def one(self, due, page, family, keep):
        method, path = page.format(uuid.uuid4().hex).split()
        sample = samples.Sample(due, due, page.partition('/{}')[0], family)
        connection = self._connection(family, keep)
        sample.connected, sample.reused = connection.asked, connection.requests > 0
        try:
            answer = await asyncio.wait_for(connection.request(method, path, keep), self.timeout_s)
        except (Broken, asyncio.TimeoutError) as why:
            sample.failure = str(why) or f'no answer within {self.timeout_s:g} s'
            connection.close()
        else:
            self._note(sample, answer)
            self._put_back(connection, keep and answer.headers.get('connection') != 'close')
        sample.ended = time.monotonic()
        self._keep(sample)

    def refuse(self, due, page, family):
        self._keep(samples.Sample(due, time.monotonic(), page, family,
                                  failure=f'not sent: {MOST_IN_FLIGHT} requests are waiting for an answer'))

    def _connection(self, family, reuse):
        if reuse and len(self.kept[family]) >= KEPT:
            return self.kept[family].pop(0)
        return Connection(self.addresses[family], topology.WEB.port)

    def _put_back(self, connection, keep):
        family = 6 if ':' in connection.address else 4
        if keep and len(self.kept[family]) < KEPT:
            self.kept[family].append(connection)
        else:
            connection.close()

    @staticmethod
    def _note(sample, answer):
        sample.web, sample.app = answer.headers.get('x-web', ''), answer.headers.get('x-app', '')
        sample.failure = '' if answer.status == 200 else f'HTTP status {answer.status}'

    def _keep(self, sample):
        self.samples.append(sample)
        if self.file:
            samples.write(sample, self.file)

    def close(self):
        for connection in self.kept[4] + self.kept[6]:
            connection.close()


async def run(client, rate, duration_s, began):
    """Sends requests until the time is over or a signal comes, and waits for the last answers."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = set()
    turns = itertools.cycle(itertools.product(PAGES, (4, 6), (False, True)))
    for n in range(int(rate * duration_s)):
        due = began + n / rate
        if await _stopped(stop, due - time.monotonic()):
            break
        page, family, keep = next(turns)
        if len(tasks) >= MOST_IN_FLIGHT:
            client.refuse(due, page, family)
            continue
        task = asyncio.create_task(client.one(due, page, family, keep))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    client.close()


async def _stopped(stop, wait_s):
    """Waits; True as soon as the stop is asked for."""
    if wait_s <= 0:
        await asyncio.sleep(0)
        return stop.is_set()
    try:
        await asyncio.wait_for(stop.wait(), wait_s)
    except asyncio.TimeoutError:
        return False
    return True


def main():
    chosen = options(argparse.ArgumentParser(prog='load', description=__doc__)).parse_args()
    # Line by line, so that whoever reads along sees each request when it has ended.
    file = open(chosen.samples, 'w', buffering=1, encoding='utf-8') if chosen.samples else None
    client, began = Client(chosen.timeout, file), time.monotonic()
    asyncio.run(run(client, chosen.rate, chosen.duration, began))
    told = samples.summary(client.samples, began)
    print(json.dumps(told) if chosen.json else samples.text(told))
    return 1 if told['failures'] else 0


if __name__ == '__main__':
    sys.exit(main())
