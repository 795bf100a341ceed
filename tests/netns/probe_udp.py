#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends a datagram of one flow to a UDP service each millisecond until it is stopped: probe_udp.py ADDRESS PORT

Prints "ready" when the first one was answered, and at the end a line for each datagram that was not answered, "lost TIME", or that
another server than the first answered, "moved TIME SERVER"; times are seconds since the epoch, when it was sent. server.py echoes.
"""
import signal
import socket
import sys
import time

EVERY_S = 0.001
LATE_S = 1


class Flow:
    """What was sent, by its number, until it is answered."""

    def __init__(self, address, port):
        self.sock = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect((address, port))
        self.sock.setblocking(False)
        self.open, self.moved, self.server, self.sent = {}, [], None, 0

    def send(self):
        self.open[self.sent] = time.time()
        try:
            self.sock.send(str(self.sent).encode())
        except OSError:
            pass
        self.sent += 1

    def receive(self):
        while True:
            try:
                name, _, number = self.sock.recv(100).split()
            except BlockingIOError:
                return
            except OSError:
                continue
            when = self.open.pop(int(number), None)
            if not self.server:
                self.server = name
                print('ready', flush=True)
            elif name != self.server:
                self.moved.append((when, name.decode()))


def main():
    flow = Flow(sys.argv[1], int(sys.argv[2]))
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    due = time.time()
    while not stop:
        flow.send()
        due = max(due + EVERY_S, time.time())
        time.sleep(max(0, due - time.time()))
        flow.receive()
    time.sleep(LATE_S)
    flow.receive()
    for when in flow.open.values():
        print(f'lost {when:.6f}')
    for when, name in flow.moved:
        print(f'moved {when:.6f} {name}')


main()
