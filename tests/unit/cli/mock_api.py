#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A stand-in for tandemd's API: answers on a Unix socket from a table of recorded answers.

`mock_api.py SOCKET` serves the site below until it is interrupted, to look at tandemctl by hand.
"""

import datetime
import http.server
import json
import os
import socketserver
import sys
import threading


def ago(**duration):
    """An RFC 3339 time that long before now, as the API writes it."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**duration)
    return then.strftime("%Y-%m-%dT%H:%M:%S.123Z")


def server(pool, name, address, **more):
    return {
        "name": name, "pool": pool, "id": 7, "address": address, "port": 80, "weight": 1,
        "weight_configured": 1, "wanted": "ready", "state": "up", "since": ago(hours=2, minutes=5, seconds=1),
        "serving": True, "reason": "HTTP 200", "who": None, "why": None, "when": None,
        "packets": 12345, "bytes": 6789012, **more,
    }


def site():
    """{target: object} of a small site in which one server is drained and one is down."""
    web1 = server("web", "web1", "198.51.100.11", wanted="drain", serving=False, weight=5, who="ada",
                  why="disk swap", when="2024-05-01T10:00:00.000Z")
    web2 = server("web", "web2", "198.51.100.12", state="down", serving=False, packets=0, bytes=0,
                  reason="connection refused", since=ago(days=2, hours=4, minutes=30))
    app1 = server("app", "app1", "2001:db8::11", port=None, reason=None)
    pools = [
        {"name": "web", "health": "web", "services": ["web"], "servers": [web1, web2]},
        {"name": "app", "health": None, "services": ["app"], "servers": [app1]},
    ]
    vips = [
        {"name": "web", "id": 1, "address": "192.0.2.10", "interface": "front",
         "mac": "00:00:5e:00:01:0a", "kind": "vip", "services": ["web"], "drops": {"no_service": 40, "malformed": 2}},
        {"name": "app", "id": 2, "address": "2001:db8::10", "interface": "back", "mac": None,
         "kind": "vip", "services": ["app"], "drops": {}},
        {"name": "back", "id": 3, "address": "198.51.100.1", "interface": "back", "mac": None,
         "kind": "gateway", "services": [], "drops": {}},
    ]
    services = [
        {"name": "web", "id": 1, "vip": "web", "address": "192.0.2.10", "protocol": "tcp", "port": 80, "ports": "80",
         "forward": "nat", "pool": "web", "serving": 0, "servers": 2, "packets": 12345, "bytes": 6789012,
         "drops": {"no_server": 30, "denied": 9}},
        {"name": "app", "id": 2, "vip": "app", "address": "2001:db8::10", "protocol": "tcp", "port": 8080, "ports": "8080",
         "forward": "dsr", "pool": "app", "serving": 1, "servers": 1, "packets": 9, "bytes": 999, "drops": {}},
    ]
    status = {
        "node": "lb-a", "version": "0.1.0", "started": ago(days=1, hours=3),
        "config": {"path": "/etc/tandem/tandem.conf", "applied": ago(minutes=61)},
        "engine": {"type": "xdp", "generation": 17, "adopted": True, "addresses": [], "ports": [
            {"name": "front", "device": "eth0", "ifindex": 3, "mac": "02:00:00:00:0f:01",
             "vlans": [], "mode": "native"},
            {"name": "back", "device": "eth1", "ifindex": 4, "mac": "02:00:00:00:0b:01",
             "vlans": [{"protocol": "802.1ad", "id": 7}, {"protocol": "802.1Q", "id": 100}], "mode": "generic"}]},
        "vips": 3, "services": 2, "pools": 2,
        "servers": {"total": 3, "serving": 1, "up": 2, "down": 1, "starting": 0, "drain": 1, "maint": 0},
        "warnings": ["eth1 runs in generic mode: its driver has no native XDP"],
        "changes": [{"server": "web/web1", "wanted": "drain", "weight": 5, "who": "ada",
                     "why": "disk swap", "when": "2024-05-01T10:00:00.000Z"}],
    }
    health = [
        {"server": "web/web2", "check": "web", "type": "http", "target": "198.51.100.12:80", "state": "down",
         "since": ago(seconds=9), "last_probe": ago(seconds=1), "last_duration_us": 1234, "last_ok": False,
         "reason": "connection refused", "probes": 90, "failures": 5, "streak": 5},
    ]
    drops = [
        {"vip": None, "service": None, "reason": "forwarded", "action": "send", "count": 12345, "help": "sent to a server"},
        {"vip": "web", "service": None, "reason": "no_service", "action": "drop", "count": 40, "help": "no such service"},
        {"vip": "web", "service": "web", "reason": "no_server", "action": "drop", "count": 30, "help": "no server"},
    ]
    answers = {
        "/v1/version": {"version": "0.1.0", "node": "lb-a"},
        "/v1/status": status,
        "/v1/vips": {"vips": vips},
        "/v1/services": {"services": services},
        "/v1/pools": {"pools": pools},
        "/v1/health": {"health": health},
        "/v1/drops": {"drops": drops},
        "/v1/config": {"path": "/etc/tandem/tandem.conf", "text": "node = \"lb-a\";\n\tx = 1;\n"},
    }
    for noun, objects in (("vips", vips), ("services", services), ("pools", pools)):
        answers.update({f"/v1/{noun}/{o['name']}": o for o in objects})
    return answers


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.server.requests.append((self.command, self.path, body))
        found = self.server.answers.get((self.command, self.path))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            problem = {"type": "about:blank", "title": "Not found", "status": 404,
                       "detail": f"there is no {self.path}."}
            found = (404, json.dumps(problem).encode())
        if found == "hang":
            self.server.released.wait(10)
            return
        if found == "close":
            self.close_connection = True
            return
        status, text = found
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = answer

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Api(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """answers: {(method, target): (status, bytes) | "hang" | "close", or a list of such, one for each request and
    the last for all further ones}; requests: what came, in order."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path):
        super().__init__(path, Handler)
        self.requests = []
        self.released = threading.Event()
        self.answers = {("GET", target): (200, json.dumps(o).encode()) for target, o in site().items()}

    def give(self, method, target, answer, status=200):
        """From now on `answer` (bytes, or an object to be written as JSON) is given to such requests."""
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.answers[method, target] = (status, text)

    def give_each(self, method, target, answers):
        """The objects are given one after the other, and the last of them ever after."""
        self.answers[method, target] = [(200, json.dumps(a).encode()) for a in answers]

    def problem(self, method, target, status, detail, **more):
        self.give(method, target, {"type": "about:blank", "title": "Refused", "status": status,
                                   "detail": detail, **more}, status)


if __name__ == "__main__":
    try:
        Api(sys.argv[1]).serve_forever()
    except KeyboardInterrupt:
        os.unlink(sys.argv[1])
