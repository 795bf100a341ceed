#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Changes servers at random through tandemd's API for some seconds, and writes a line for each change:

  TIME POOL WHAT

Servers are drained, get ready again, and change their weight, in each pool --rate times a second. Two of a pool are always left
that take new connections, and those with a configured weight of 0 are let alone. Every twentieth change applies the next of the
files, then the last two in turn; its POOL is "all". Exits 1 when a change is refused.
"""
import argparse
import http.client
import json
import random
import socket
import sys
import time


class Connection(http.client.HTTPConnection):
    """HTTP by a Unix socket."""

    def __init__(self, path):
        super().__init__('localhost', timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        headers = {'Content-Type': 'application/json'} if body else {}
        self.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f'change.py: {method} {path} {body}: {answer.status} {text}')
        return json.loads(text)


def takes_new(server):
    return server['wanted'] == 'ready' and server['weight'] > 0 and server['state'] == 'up'


def chosen(servers):
    """A server and what shall become of it, which is always another thing than is."""
    server = random.choice(servers)
    if server['wanted'] != 'ready':
        return server, {'wanted': 'ready'}
    other = random.choice([weight for weight in range(1, 10) if weight != server['weight']])
    if takes_new(server) and sum(map(takes_new, servers)) > 2:
        return server, random.choice([{'wanted': 'drain'}, {'weight': 0}, {'weight': other}])
    return server, {'weight': other}


def change(api, pool):
    servers = [server for server in api.ask('GET', f'/v1/pools/{pool}')['servers'] if server['weight_configured']]
    server, what = chosen(servers)
    api.ask('PATCH', f'/v1/pools/{pool}/servers/{server["name"]}', what)
    return f'{server["name"]} {what}'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('socket')
    parser.add_argument('--pool', action='append', dest='pools', required=True)
    parser.add_argument('--rate', type=float, default=10)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('files', nargs='+')
    options = parser.parse_args()
    random.seed(options.seed)
    api, files = Connection(options.socket), options.files
    began = due = time.monotonic()
    turn = 0
    while due < began + options.seconds and time.monotonic() < began + options.seconds:
        time.sleep(max(0, due - time.monotonic()))
        if turn % 20 == 19:
            pool, what = 'all', files.pop(0)
            api.ask('POST', '/v1/config/apply', {'path': what})
            if len(files) < 2:
                files.append(what)
        else:
            pool = options.pools[turn % len(options.pools)]
            what = change(api, pool)
        print(f'{time.time():.6f} {pool} {what}', flush=True)
        turn += 1
        due += 1 / (options.rate * len(options.pools))


main()
