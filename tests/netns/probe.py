#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends a datagram each --every milliseconds from one socket, and writes load.py's line for each that comes back:

  SENT ENDED ok SERVER

What is not answered leaves a gap: probe.py ADDRESS PORT.
"""
import argparse
import socket
import threading
import time


def send(sock, every_s):
    due = time.time()
    while True:
        try:
            sock.send(f'{time.time():.6f}'.encode())
        except OSError:
            pass  # an error that came back for one before
        due = max(due + every_s, time.time() - every_s)
        time.sleep(max(0, due - time.time()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('address')
    parser.add_argument('port', type=int)
    parser.add_argument('--every', type=float, default=10, help='milliseconds (10)')
    options = parser.parse_args()
    sock = socket.socket(socket.AF_INET6 if ':' in options.address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((options.address, options.port))
    threading.Thread(target=send, args=(sock, options.every / 1000), daemon=True).start()
    while True:
        try:
            server, _, sent = sock.recv(2048).decode().split()
        except OSError:
            continue
        print(f'{sent} {time.time():.6f} ok {server}', flush=True)


main()
