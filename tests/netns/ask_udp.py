#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends datagrams to a server that sends them back with its name: ask_udp.py ADDRESS PORT [--size N] [--no-checksum]

Forty sockets, each with five datagrams (of several sizes, or of one). Prints the answers' first two words, which are the
server's name and what it takes for the client, and how many sockets got them; a socket whose datagrams are not
all answered, or by different servers, shows as "lost" or "mixed".
"""
import argparse
import collections
import socket

SIZES = (1, 2, 33, 1000, 1452)  # the last is the longest that fits into a packet of IPv6 on Ethernet
SO_NO_CHECK = 11


def converse(options):
    family = socket.AF_INET6 if ':' in options.address else socket.AF_INET
    seen = set()
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(options.timeout)
        if options.no_checksum:
            sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        sock.connect((options.address, options.port))  # so that it hears of nobody else
        for size in [options.size] if options.size else SIZES:
            # The answer's is longer by the words in front.
            payload = bytes(n % 251 for n in range(max(1, size - 40)))
            sock.send(payload)
            try:
                name, client, echo = sock.recv(65535).split(b' ', 2)
            except (TimeoutError, ConnectionRefusedError):
                return 'lost'
            if echo != payload:
                return 'damaged'
            seen.add(f'{name.decode()} {client.decode()}')
    return seen.pop() if len(seen) == 1 else 'mixed'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('address')
    parser.add_argument('port', type=int)
    parser.add_argument('--size', type=int)
    parser.add_argument('--sockets', type=int, default=40)
    parser.add_argument('--timeout', type=float, default=2)
    parser.add_argument('--no-checksum', action='store_true')
    options = parser.parse_args()
    answers = collections.Counter(converse(options) for _ in range(options.sockets))
    for answer in sorted(answers):
        print(answer, answers[answer])


main()
