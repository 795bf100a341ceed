#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tells when a UDP service stops sending a flow to a server: switch.py ADDRESS PORT SERVER

Takes a flow that goes to SERVER (server.py echoes with its name), prints "ready", sends a datagram each millisecond, and prints
the time at which it sent the first one that another server answered, in seconds since the epoch.
"""
import socket
import sys
import time

EVERY_S = 0.001
LONGEST_S = 30
FIND_S = 20


def open_flow(address, port):
    sock = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, port))
    return sock


def flow_to(address, port, server):
    """A server that has come back gets no new flows at first; an old one may say that it does."""
    end = time.time() + FIND_S
    while time.time() < end:
        sock = open_flow(address, port)
        sock.settimeout(1)
        sock.send(b'0')
        if sock.recv(100).split()[0] == server:
            return sock
        sock.close()
        time.sleep(EVERY_S)
    sys.exit(f'no flow goes to {server.decode()}')


def follow(sock, server):
    """The answers come back with the time at which their datagrams were sent."""
    sock.setblocking(False)
    end = time.time() + LONGEST_S
    while time.time() < end:
        sock.send(repr(time.time()).encode())
        time.sleep(EVERY_S)
        while True:
            try:
                name, _, sent = sock.recv(100).split()
            except (BlockingIOError, ConnectionRefusedError):
                break
            if name != server:
                return sent.decode()
    return sys.exit(f'{server.decode()} has answered for {LONGEST_S} s')


def main():
    address, port, server = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
    sock = flow_to(address, port, server)
    print('ready', flush=True)
    print(follow(sock, server))


main()
