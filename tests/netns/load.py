#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Asks servers for pages until it is stopped, and writes a line for each request:

  BEGAN ENDED OUTCOME SERVER

Times are seconds since the epoch; OUTCOME is "ok" or "!" with a word for what went wrong; SERVER is the first
word of the answer, or "-". The URLs are taken in turn, each request on a connection of its own unless --keep is given.
"""
import argparse
import http.client
import signal
import sys
import threading
import time
import urllib.parse


def once(connection, url, keep):
    """The first word of the answer."""
    connection.request('GET', url.path or '/', headers={} if keep else {'Connection': 'close'})
    answer = connection.getresponse()
    body = answer.read().split()
    if answer.status != 200:
        raise http.client.HTTPException(f'status-{answer.status}')
    return body[0].decode()


class Worker(threading.Thread):
    """Sends a request each `every` seconds, or as fast as answers come."""

    def __init__(self, options, urls, first_s, every_s, stopping):
        super().__init__(daemon=True)
        self.stopping = stopping
        self.options, self.urls = options, [urllib.parse.urlsplit(url) for url in urls]
        self.due, self.every_s = time.time() + first_s, every_s
        self.connection = None

    def run(self):
        turn = 0
        while not self.stopping.wait(max(0, self.due - time.time())):
            self.due = max(self.due + self.every_s, time.time() - self.every_s)
            began = time.time()
            outcome, server = self.ask(self.urls[turn % len(self.urls)])
            print(f'{began:.6f} {time.time():.6f} {outcome} {server}\n', end='')
            turn += 1

    def ask(self, url):
        for _ in range(2 if self.options.again else 1):
            try:
                if not self.connection:
                    self.connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=self.options.timeout)
                server = once(self.connection, url, self.options.keep)
            except (OSError, http.client.HTTPException) as why:
                outcome, server = f'!{type(why).__name__}:{str(why).replace(" ", "-")}', '-'
                self.close()
            else:
                outcome = 'ok'
                if not self.options.keep:
                    self.close()
                break
        return outcome, server

    def close(self):
        self.connection.close()
        self.connection = None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rate', type=float, default=100, help='requests a second, all in all (100)')
    parser.add_argument('--workers', type=int, default=8)
    parser.add_argument('--timeout', type=float, default=3, help='seconds (3)')
    parser.add_argument('--keep', action='store_true', help='a worker keeps its connection')
    parser.add_argument('--again', action='store_true',
                        help='repeat a request once whose connection was lost, as browsers do with idempotent ones')
    parser.add_argument('--finish', action='store_true', help='when stopped, wait for what is under way')
    parser.add_argument('urls', nargs='+')
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    stopping, workers = threading.Event(), []
    for n in range(options.workers):
        urls = options.urls[n % len(options.urls):] + options.urls[:n % len(options.urls)]
        workers.append(Worker(options, urls, n / options.rate, options.workers / options.rate, stopping))
        workers[-1].start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    if options.finish:
        stopping.set()
        for worker in workers:
            worker.join()


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
main()
