#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tandemctl against a stand-in for the API: cli_test.py TANDEMCTL [unittest's arguments]."""

import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True  # a test that is run as root leaves nothing behind

from mock_api import Api, ago, server  # noqa: E402 pylint: disable=wrong-import-position

OK, NEGATIVE, USAGE, UNREACHABLE, PERMISSION, NOT_FOUND, CONFLICT, TIMED_OUT = range(8)
NOBODY = 65534
MANUAL = os.path.join(os.path.dirname(__file__), "../../../apps/tandemctl/tandemctl.8")


class CliTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="tandemctl-")
        self.addCleanup(shutil.rmtree, self.dir)
        os.chmod(self.dir, 0o755)
        self.socket = os.path.join(self.dir, "api.sock")
        self.api = Api(self.socket)
        thread = threading.Thread(target=self.api.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.api.server_close)
        self.addCleanup(self.api.shutdown)
        self.addCleanup(self.api.released.set)
        self.environment = {**os.environ, "TANDEM_SOCKET": self.socket, "http_proxy": "http://127.0.0.1:9"}

    def run_ctl(self, *words, program=None, **more):
        return subprocess.run([program or TANDEMCTL, *words], env=self.environment, capture_output=True,
                              timeout=30, check=False, **more)

    def ctl(self, *words, code=OK, stderr=""):
        """Runs tandemctl, checks its exit code and all it says on standard error; returns its output."""
        done = self.run_ctl(*words)
        self.assertEqual((done.returncode, done.stderr.decode()), (code, stderr), done.stdout)
        return done.stdout.decode()

    def refused(self, code, sentence, *words):
        """The command ends with the code and one sentence, and prints nothing."""
        self.assertEqual(self.ctl(*words, code=code, stderr=f"tandemctl: {sentence}\n"), "")

    def last_request(self):
        method, target, body = self.api.requests[-1]
        return method, target, json.loads(body) if body else None


class Tables(CliTest):
    def test_vip_list(self):
        self.assertEqual(self.ctl("vip", "list"), """\
VIP   ADDRESS       INTERFACE  KIND     DROPS  SERVICES
web   192.0.2.10    front      vip         42  web
app   2001:db8::10  back       vip          0  app
back  198.51.100.1  back       gateway      0  -
""")

    def test_vip_show(self):
        self.assertEqual(self.ctl("vip", "show", "web"), """\
vip        web
address    192.0.2.10
interface  front
mac        00:00:5e:00:01:0a
kind       vip
id         1
services   web

DROPPED  REASON
     40  no_service
      2  malformed
""")

    def test_vip_without_a_mac(self):
        self.assertIn("\nmac        the interface's own\n", self.ctl("vip", "show", "app"))

    def test_service_list(self):
        self.assertEqual(self.ctl("service", "list"), """\
SERVICE  VIP  ADDRESS              PROTOCOL  FORWARD  POOL  SERVING  PACKETS    BYTES  DROPS
web      web  192.0.2.10:80        tcp       nat      web   0 of 2     12345  6789012     39
app      app  [2001:db8::10]:8080  tcp       dsr      app   1 of 1         9      999      0
""")

    def test_service_show(self):
        self.assertEqual(self.ctl("service", "show", "web"), """\
service   web
vip       web
address   192.0.2.10:80
protocol  tcp
forward   nat
pool      web
serving   0 of 2
packets   12345
bytes     6789012
id        1

DROPPED  REASON
     30  no_server
      9  denied
""")
        text = self.ctl("service", "show", "app")
        self.assertIn("address   [2001:db8::10]:8080\n", text)
        self.assertNotIn("DROPPED", text)

    def test_service_of_the_host(self):
        self.api.give("GET", "/v1/services/ssh", {
            "name": "ssh", "vip": "web", "address": "192.0.2.10", "protocol": "tcp", "port": 22, "forward": "local",
            "pool": None, "serving": 0, "servers": 0, "packets": 7, "bytes": 420, "id": 3})
        lines = self.ctl("service", "show", "ssh").splitlines()
        self.assertEqual(lines[4:8], ["forward   local", "pool      -", "serving   -", "packets   7"])

    def test_service_with_syn_cookies(self):
        web = {"name": "web", "vip": "web", "address": "192.0.2.10", "protocol": "tcp", "port": 80, "forward": "nat",
               "pool": "web", "serving": 1, "servers": 1, "packets": 7, "bytes": 420, "id": 3, "syn_cookies": "auto",
               "syn_threshold": 500, "flood": {"on": True, "since": ago(minutes=2), "syns_per_s": 51234, "proxied": 17}}
        self.api.give("GET", "/v1/services/web", web)
        text = self.ctl("service", "show", "web")
        self.assertIn("syn cookies  auto, from 500 SYNs in a second on\n", text)
        self.assertRegex(text, r"flood +for 2m.*, 51234 SYNs answered in a second; 17 connections begun by cookies\n")
        web["flood"] = {"on": False, "since": None, "syns_per_s": 0, "proxied": 0}
        self.api.give("GET", "/v1/services/web", web)
        self.assertRegex(self.ctl("service", "show", "web"), r"flood +none; 0 connections begun by cookies\n")
        web.update(syn_cookies="off", syn_threshold=None, flood=None)
        self.api.give("GET", "/v1/services/web", web)
        self.assertNotRegex(self.ctl("service", "show", "web"), "cookies|flood")

    def test_services_of_many_ports_and_of_none(self):
        like = {"pool": "web", "serving": 1, "servers": 2, "packets": 7, "bytes": 420, "drops": {}, "port": None}
        services = [
            {**like, "name": "ftp", "vip": "web", "address": "192.0.2.10", "protocol": "tcp", "forward": "nat",
             "ports": "20-21,1024-65535"},
            {**like, "name": "sip", "vip": "app", "address": "2001:db8::10", "protocol": "udp", "forward": "dsr",
             "ports": "5060,5062"},
            {**like, "name": "vpn", "vip": "app", "address": "2001:db8::10", "protocol": "any", "forward": "tunnel",
             "ports": None}]
        self.api.give("GET", "/v1/services", {"services": services})
        self.assertEqual(self.ctl("service", "list"), """\
SERVICE  VIP  ADDRESS                      PROTOCOL  FORWARD  POOL  SERVING  PACKETS  BYTES  DROPS
ftp      web  192.0.2.10:20-21,1024-65535  tcp       nat      web   1 of 2         7    420      0
sip      app  [2001:db8::10]:5060,5062     udp       dsr      web   1 of 2         7    420      0
vpn      app  2001:db8::10                 any       tunnel   web   1 of 2         7    420      0
""")
        for service, address in zip(services, ("192.0.2.10:20-21,1024-65535", "[2001:db8::10]:5060,5062", "2001:db8::10")):
            self.api.give("GET", "/v1/services/" + service["name"], service)
            self.assertIn(f"address   {address}\n", self.ctl("service", "show", service["name"]))

    def test_pool_list(self):
        self.assertEqual(self.ctl("pool", "list"), """\
POOL  HEALTH  SERVING  SERVICES
web   web     0 of 2   web
app   -       1 of 1   app
""")

    def test_pool_show(self):
        lines = self.ctl("pool", "show", "web").splitlines()
        self.assertEqual(lines[3], "serving   0 of 2")
        self.assertEqual(lines[5].split("  ")[0], "SERVER")
        self.assertRegex(lines[6], r"^web/web1  198\.51\.100\.11:80  drain   5 \(file: 1\)  up     2h 5m  no "
                                   r"        12345  6789012  HTTP 200$")
        self.assertRegex(lines[7], r"  down   2d 4h  no             0        0  connection refused$")
        self.assertEqual(lines[10], "web/web1  drain        5  ada  2024-05-01 10:00:00  disk swap")

    def test_columns_without_any_value_are_left_out(self):
        self.assertIn("LAST CHECK", self.ctl("pool", "show", "web"))
        self.assertNotIn("LAST CHECK", self.ctl("pool", "show", "app"))

    def test_pools_with_records(self):
        pools = {"pools": [
            {"name": "web", "health": "web", "services": ["web"], "servers": [], "records": 12, "slots": 1024,
             "slots_tracked": 40},
            {"name": "new", "health": None, "services": [], "servers": [], "records": None, "slots": None,
             "slots_tracked": None}]}
        self.api.give("GET", "/v1/pools", pools)
        self.assertEqual(self.ctl("pool", "list"), """\
POOL  HEALTH  SERVING  RECORDS  SLOTS  TRACKED  SERVICES
web   web     0 of 0        12   1024       40  web
new   -       0 of 0         -      -        -  -
""")

    def test_pool_show_with_records(self):
        one = server("web", "web1", "198.51.100.11", wanted="drain", records=3, slots=0, base_slots=512, drained=False)
        two = server("web", "web2", "198.51.100.12", records=9, slots=1024, base_slots=0, drained=False)
        self.api.give("GET", "/v1/pools/web", {
            "name": "web", "health": "web", "services": ["web"], "when_empty": "spare", "encapsulation": "gue", "min_up": 2,
            "below_min_up": True, "fallen_back_on": "spare", "records": 12, "slots": 1024, "slots_tracked": 512,
            "servers": [one, two]})
        lines = self.ctl("pool", "show", "web").splitlines()
        self.assertEqual(lines[:10], [
            "pool            web", "health          web", "services        web", "serving         2 of 2",
            "when empty      spare", "fallen back on  spare", "encapsulation   gue",
            "min up          2, failed servers are used",
            "records         12", "slots           1024, 512 tracked"])
        self.assertRegex(lines[11], r"  SERVING  RECORDS  SLOTS  BASE  DRAINED  PACKETS ")
        self.assertRegex(lines[12], r"  yes            3      0   512  no         12345 ")
        self.assertRegex(lines[13], r"  yes            9   1024     0  -          12345 ")

    def test_server_show(self):
        self.api.give("GET", "/v1/pools/web/servers/web1", server(
            "web", "web1", "198.51.100.11", wanted="drain", who="ada", why="disk swap", records=0, slots=0,
            base_slots=0, drained=True, path_mtu=1400, when="2024-05-01T10:00:00.000Z"))
        self.assertEqual(self.ctl("server", "show", "web/web1"), """\
server      web/web1
address     198.51.100.11:80
wanted      drain
weight      1
state       up
for         2h 5m
serving     yes
records     0
slots       0
base slots  0
drained     yes
path MTU    1400
packets     12345
bytes       6789012
last check  HTTP 200
who         ada
when (UTC)  2024-05-01 10:00:00
why         disk swap
""")
        self.api.give("GET", "/v1/pools/web/servers/web1", server("web", "web1", "198.51.100.11", records=None))
        text = self.ctl("server", "show", "web/web1")
        self.assertIn("\nrecords     -\n", text)
        self.assertNotIn("drained", text)

    def test_status_with_records(self):
        status = json.loads(self.api.answers["GET", "/v1/status"][1])
        self.assertNotIn("records", self.ctl("status"))
        status["records"] = {"capacity": 1048576, "live": 3, "embryonic": 20, "closing": 100,
                             "evicted": {"void": 4, "embryonic": 5, "agreeing": 6, "live": 7}, "not_recorded": 8}
        self.api.give("GET", "/v1/status", status)
        self.assertIn("records      123 of 1048576: 3 live, 20 embryonic, 100 closing; "
                      "evicted: 4 void, 5 embryonic, 6 agreeing, 7 live; 8 not recorded\n", self.ctl("status"))
        status["records"] = None
        self.api.give("GET", "/v1/status", status)
        self.assertNotIn("records", self.ctl("status"))

    def test_status_with_addresses_of_the_host(self):
        self.assertNotIn("on lo", self.ctl("status"))
        status = json.loads(self.api.answers["GET", "/v1/status"][1])
        status["engine"]["addresses"] = ["192.0.2.10", "2001:db8::10"]
        self.api.give("GET", "/v1/status", status)
        self.assertIn("\non lo        192.0.2.10, 2001:db8::10\n", self.ctl("status"))

    def test_status_with_settings_of_the_host(self):
        self.assertNotIn("changed", self.ctl("status"))
        status = json.loads(self.api.answers["GET", "/v1/status"][1])
        status["engine"]["settings"] = [{"name": "net.ipv4.tcp_syncookies", "was": "1"},
                                        {"name": "net.ipv4.tcp_timestamps", "was": "1"}]
        self.api.give("GET", "/v1/status", status)
        self.assertIn("\nchanged      net.ipv4.tcp_syncookies (was 1), net.ipv4.tcp_timestamps (was 1)\n",
                      self.ctl("status"))

    def test_status_of_workers(self):
        self.assertNotIn("WORKER", self.ctl("status"))
        status = json.loads(self.api.answers["GET", "/v1/status"][1])
        status["engine"].update(type="dpdk", polling="adaptive", state="serving", since=ago(hours=2, minutes=5, seconds=1), gaps=2,
                                last_gap_ms=312, workers=[
            {"worker": 0, "cpu": 1, "busy_cycles": 250, "idle_cycles": 1234567890123, "sleeps": 7, "busy_percent": 0.3},
            {"worker": 1, "cpu": 13, "busy_cycles": 0, "idle_cycles": 1, "sleeps": 0, "busy_percent": None}])
        self.api.give("GET", "/v1/status", status)
        text = self.ctl("status")
        self.assertIn("dpdk, adaptive, generation 17, adopted from the daemon before; serving for 2h 5m; gone 2 times, "
                      "the last for 312 ms\n", text)
        self.assertIn("""
WORKER  CPU  BUSY %  BUSY CYCLES    IDLE CYCLES  SLEEPS
     0    1     0.3          250  1234567890123       7
     1   13       -            0              1       0

""", text)

    def test_status_of_an_engine_that_is_gone(self):
        status = json.loads(self.api.answers["GET", "/v1/status"][1])
        status["engine"].update(type="dpdk", state="gone", since=ago(hours=2, minutes=5, seconds=1), gaps=1, last_gap_ms=None)
        self.api.give("GET", "/v1/status", status)
        self.assertIn("; gone for 2h 5m; gone 1 time\n", self.ctl("status"))

    def test_health_list(self):
        lines = self.ctl("health", "list").splitlines()
        self.assertRegex(lines[1], r"^web/web2 .* down .* 1\.234 ms .*connection refused$")

    def test_drops(self):
        self.assertEqual(self.ctl("drops"), """\
VIP    SERVICE  VERDICT     ACTION  PACKETS  MEANING
(all)  (all)    forwarded   send      12345  sent to a server
web    (all)    no_service  drop         40  no such service
web    web      no_server   drop         30  no server
""")

    def test_version(self):
        self.assertEqual(self.ctl("version").splitlines()[1:], ["tandemd    0.1.0", "node       lb-a"])

    def test_config_show_is_the_file(self):
        self.assertEqual(self.ctl("config", "show"), 'node = "lb-a";\n\tx = 1;\n')

    def test_status_shows_everything(self):
        text = self.ctl("status")
        for part in ("node         lb-a\n", "running for  1d 3h\n", "/etc/tandem/tandem.conf, applied 1h 1m ago\n",
                     "xdp, generation 17, adopted", "1 of 3 serving; 2 up, 1 down, 0 starting; 1 drain, 0 maint\n",
                     "back   eth1          4  generic\n", "[2001:db8::10]:8080", "web/web2  198.51.100.12:80",
                     "web/web1  drain        5  ada  2024-05-01 10:00:00  disk swap\n",
                     "\nwarning: eth1 runs in generic mode: its driver has no native XDP\n"):
            self.assertIn(part, text)

    def test_status_needs_all_of_its_parts(self):
        self.api.problem("GET", "/v1/pools", 500, "out of memory")
        self.refused(NEGATIVE, "out of memory", "status")

    def test_answers_of_other_types_are_dashes(self):
        self.api.give("GET", "/v1/vips", {"vips": [7, {"name": ["a", ["b"], {}], "drops": "x", "address": 1.5}]})
        self.assertEqual(self.ctl("vip", "list").splitlines()[1:], [
            "-        -        -          -         0  -",
            "a, -, -  1.5      -          -         0  -"])
        self.api.give("GET", "/v1/vips", {"vips": "none"})
        self.assertEqual(len(self.ctl("vip", "list").splitlines()), 1)
        self.api.give("GET", "/v1/pools", {"pools": {"web": 1}})
        self.api.give("GET", "/v1/status", {})
        self.assertIn("node         -\n", self.ctl("status"))


class Json(CliTest):
    def test_passes_through_byte_by_byte(self):
        text = b'{"vips" : [ {"name":"\\u001b[31m", "x":1.0e0}]}'
        self.api.give("GET", "/v1/vips", text)
        self.assertEqual(self.ctl("-j", "vip", "list"), text.decode() + "\n")
        self.api.give("GET", "/v1/vips", text + b"\n")
        self.assertEqual(self.ctl("vip", "list", "-j"), text.decode() + "\n")

    def test_one_request_per_command(self):
        for words, target in ((("status",), "/v1/status"), (("drops",), "/v1/drops"),
                              (("version",), "/v1/version"), (("config", "show"), "/v1/config"),
                              (("pool", "show", "web"), "/v1/pools/web")):
            text = self.ctl("--json", *words)
            self.assertEqual(text.encode(), self.api.answers["GET", target][1] + b"\n")
            self.assertEqual(self.api.requests, [("GET", target, b"")])
            self.api.requests.clear()

    def test_problems_pass_through(self):
        self.api.problem("GET", "/v1/drops", 409, "no")
        self.assertEqual(json.loads(self.ctl("-j", "drops", code=CONFLICT, stderr="tandemctl: no\n"))["status"], 409)


class Changes(CliTest):
    def setUp(self):
        super().setUp()
        self.api.give("PATCH", "/v1/pools/web/servers/web1",
                      server("web", "web1", "198.51.100.11", wanted="drain", serving=False))

    def test_wanted(self):
        for verb in ("ready", "drain", "maint"):
            self.ctl("server", verb, "web/web1")
            self.assertEqual(self.last_request(), ("PATCH", "/v1/pools/web/servers/web1", {"wanted": verb}))

    def test_why(self):
        text = self.ctl("server", "drain", "web/web1", "--why", "disk “swap”")
        self.assertEqual(self.last_request()[2], {"wanted": "drain", "why": "disk “swap”"})
        self.assertEqual(text, "server   web/web1\nwanted   drain\nweight   1\nstate    up\nserving  no\n")

    def test_weight(self):
        for text, weight in (("0", 0), ("1000", 1000), ("default", None)):
            self.ctl("server", "weight", "web/web1", text)
            self.assertEqual(self.last_request()[2], {"weight": weight})

    def test_wrong_arguments_send_nothing(self):
        for weight in ("1001", "x", "1x", "99999999999999999999"):
            self.refused(USAGE, f'a weight is a number from 0 to 1000, or "default", not "{weight}"',
                         "server", "weight", "web/web1", weight)
        for name in ("web", "/web1", "web/"):
            self.refused(USAGE, f'a server is named POOL/SERVER, not "{name}"', "server", "drain", name)
        done = self.run_ctl("server", "drain", "web/web1", "--why", b"\xff")
        self.assertEqual((done.returncode, done.stderr), (USAGE, b"tandemctl: the text after --why is not UTF-8\n"))
        self.assertEqual(self.api.requests, [])

    def test_names_are_escaped(self):
        self.ctl("server", "drain", "../x?y/z#/..", code=NOT_FOUND,
                 stderr="tandemctl: there is no /v1/pools/../servers/x%3Fy%2Fz%23%2F..\n")

    def test_engine_detach(self):
        self.api.give("POST", "/v1/engine/detach", {"interfaces": 2})
        self.assertEqual(self.ctl("engine", "detach"), "the engine is detached from 2 interfaces\n")
        self.assertEqual(self.last_request(), ("POST", "/v1/engine/detach", {}))


WEB1 = "/v1/pools/web/servers/web1"


class Drain(CliTest):
    """`server drain --wait`: the change, then one look after the other."""

    @staticmethod
    def left(records, base_slots=0, wanted="drain", **more):
        return server("web", "web1", "198.51.100.11", **{
            "wanted": wanted, "records": records, "slots": 0, "base_slots": base_slots,
            "drained": None if records is None else wanted == "drain" and not records and not base_slots, **more})

    def answers(self, patched, *looks):
        self.api.give("PATCH", WEB1, patched)
        self.api.give_each("GET", WEB1, looks)

    def test_prints_changes_until_drained(self):
        self.answers(self.left(None), self.left(2, 512), self.left(2, 512), self.left(1, 1), self.left(0, 1),
                     self.left(0))
        text = self.ctl("server", "drain", "web/web1", "--wait", "--why", "disk")
        self.assertEqual(text, """\
web/web1: live records are not counted yet
web/web1: 2 live records left, 512 slots may lead older flows to it
web/web1: 1 live record left, 1 slot may lead older flows to it
web/web1: 0 live records left, 1 slot may lead older flows to it
web/web1: drained
""")
        self.assertEqual(self.api.requests, [("PATCH", WEB1, b'{"wanted":"drain","why":"disk"}'),
                                             *[("GET", WEB1, b"")] * 5])

    def test_nothing_left_at_once(self):
        self.answers(self.left(0), self.left(0))
        self.assertEqual(self.ctl("server", "drain", "web/web1", "--wait", "--timeout", "10m"), "web/web1: drained\n")
        self.assertEqual(len(self.api.requests), 1)

    def test_without_wait_nothing_is_waited_for(self):
        self.answers(self.left(5))
        self.assertIn("\nrecords     5\nslots       0\nbase slots  0\ndrained     no\n",
                      self.ctl("server", "drain", "web/web1"))
        self.assertEqual(len(self.api.requests), 1)

    def test_json_is_the_last_answer(self):
        self.answers(self.left(1), self.left(1), self.left(0, packets=99))
        text = self.ctl("-j", "server", "drain", "web/web1", "--wait")
        self.assertEqual(text.encode(), self.api.answers["GET", WEB1][0][1] + b"\n")
        self.assertEqual(json.loads(text)["packets"], 99)

    def test_time_out(self):
        self.answers(self.left(1), self.left(3, 7))
        sentence = ("tandemctl: server web/web1 is not drained after 1s: 3 live records left, 7 slots may lead older "
                    "flows to it\n")
        text = self.ctl("server", "drain", "web/web1", "--wait", "--timeout", "1s", code=TIMED_OUT, stderr=sentence)
        self.assertEqual(len(text.splitlines()), 2)
        text = self.ctl("-j", "server", "drain", "web/web1", "--wait", "-t1", code=TIMED_OUT, stderr=sentence)
        self.assertEqual(json.loads(text)["records"], 3)

    def test_somebody_else_changes_it(self):
        self.answers(self.left(1), self.left(1), self.left(1, wanted="ready"))
        self.ctl("server", "drain", "web/web1", "--wait", code=CONFLICT, stderr=(
            "tandemctl: server web/web1 is wanted ready now, not drained: somebody else changed it\n"))

    def test_server_goes_away(self):
        self.answers(self.left(1))
        self.api.problem("GET", WEB1, 404, 'pool "web" has no server "web1"')
        self.api.give("GET", "/v1/pools", {"pools": []})
        self.ctl("server", "drain", "web/web1", "--wait", code=NOT_FOUND,
                 stderr='tandemctl: pool "web" has no server "web1"\n')
        text = self.ctl("-j", "server", "drain", "web/web1", "--wait", code=NOT_FOUND,
                        stderr='tandemctl: pool "web" has no server "web1"\n')
        self.assertEqual(json.loads(text)["status"], 404)

    def test_daemon_goes_away(self):
        self.answers(self.left(1))
        self.api.answers["GET", WEB1] = "close"
        self.ctl("server", "drain", "web/web1", "--wait", code=UNREACHABLE,
                 stderr=f"tandemctl: no usable answer from {self.socket}: Server returned nothing "
                        "(no headers, no data)\n")

    def test_refused(self):
        self.api.problem("PATCH", WEB1, 409, "the engine is detached")
        self.refused(CONFLICT, "the engine is detached", "server", "drain", "web/web1", "--wait")
        self.refused(USAGE, 'a server is named POOL/SERVER, not "web"', "server", "drain", "web", "--wait")
        self.refused(USAGE, '--wait is for "server drain" only', "server", "maint", "web/web1", "--wait")
        self.refused(USAGE, '--wait is for "server drain" only', "status", "--wait")


class Errors(CliTest):
    def test_statuses(self):
        for status, code in ((400, NEGATIVE), (403, PERMISSION), (404, NOT_FOUND), (405, NEGATIVE), (409, CONFLICT),
                             (413, NEGATIVE), (422, NEGATIVE), (500, NEGATIVE), (504, TIMED_OUT)):
            self.api.problem("GET", "/v1/drops", status, "this is why.")
            self.refused(code, "this is why", "drops")

    def test_problem_without_detail(self):
        self.api.give("GET", "/v1/drops", {"title": "Too busy"}, 500)
        self.refused(NEGATIVE, "Too busy", "drops")
        self.api.give("GET", "/v1/drops", b"<html>", 500)
        self.refused(NEGATIVE, "the daemon answered with the HTTP status 500", "drops")
        self.api.give("GET", "/v1/drops", b"", 404)
        self.refused(NOT_FOUND, "the daemon answered with the HTTP status 404", "drops")

    def test_other_servers(self):
        for answer in (b"", b"hello", b"[1]", b'{"drops": [', b"\xff" * 1000):
            self.api.give("GET", "/v1/drops", answer)
            self.refused(UNREACHABLE, f"what listens on {self.socket} does not answer as tandemd does", "drops")

    def test_closed_without_an_answer(self):
        self.api.answers["GET", "/v1/drops"] = "close"
        self.refused(UNREACHABLE, f"no usable answer from {self.socket}: Server returned nothing "
                                  "(no headers, no data)", "drops")

    def test_time_out(self):
        self.api.answers["GET", "/v1/drops"] = "hang"
        self.refused(TIMED_OUT, f"no answer from {self.socket} within 1 seconds", "-t", "1", "drops")

    def test_no_socket(self):
        for path, why in ((self.dir + "/none", "No such file or directory"), (self.dir, "Connection refused")):
            self.refused(UNREACHABLE, f"tandemd does not answer on {path}: {why}", "-s", path, "status")
        self.refused(UNREACHABLE, f"tandemd does not answer on {self.dir}/none: No such file or directory; "
                                  "without a daemon, `tandemd --detach` does it",
                     "-s", self.dir + "/none", "engine", "detach")

    def test_dead_socket(self):
        path = self.dir + "/dead.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
        self.refused(UNREACHABLE, f"tandemd does not answer on {path}: Connection refused", "-s", path, "status")

    def test_version_tells_its_own_without_a_daemon(self):
        text = self.ctl("-s", self.dir + "/none", "version", code=UNREACHABLE,
                        stderr=f"tandemctl: tandemd does not answer on {self.dir}/none: No such file or directory\n")
        self.assertRegex(text, r"^tandemctl  [0-9.]+\n$")

    def test_long_path(self):
        path = "/" + "x" * 200
        self.refused(USAGE, f"the path of the socket is too long: {path[:120]}…", "-s", path, "status")

    def test_permission(self):
        os.chmod(self.socket, 0)
        program = shutil.copy(TANDEMCTL, self.dir)
        done = self.run_ctl("status", program=program, **({"user": NOBODY} if os.getuid() == 0 else {}))
        self.assertEqual((done.returncode, done.stderr.decode()), (
            PERMISSION, f"tandemctl: no permission to use {self.socket}: be root, or a member of the group that "
                        "api.group names in tandem.conf\n"))

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TANDEMCTL, "drops"], env=self.environment, stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (NEGATIVE, b"tandemctl: the output could not be written in full\n"))


class DidYouMean(CliTest):
    def test_names(self):
        self.refused(NOT_FOUND, 'there is no /v1/pools/wbe; did you mean "web"?', "pool", "show", "wbe")
        self.refused(NOT_FOUND, "there is no /v1/pools/elephant", "pool", "show", "elephant")
        self.refused(NOT_FOUND, 'there is no /v1/pools/web/servers/wbe1; did you mean "web/web1"?',
                     "server", "drain", "web/wbe1")

    def test_not_twice(self):
        self.api.problem("GET", "/v1/pools/wbe", 404, 'no pool "wbe"; did you mean "web"?')
        self.refused(NOT_FOUND, 'no pool "wbe"; did you mean "web"?', "pool", "show", "wbe")

    def test_words(self):
        self.refused(USAGE, 'there is no command "srevice"; did you mean "service"?', "srevice", "list")
        self.refused(USAGE, '"pool" has no verb "shwo"; did you mean "show"?', "pool", "shwo", "web")
        self.refused(USAGE, 'there is no command "\\x1b[31mxyzzy"; see `tandemctl help`', "\x1b[31mxyzzy")
        self.refused(USAGE, '"pool" needs a verb; see `tandemctl help pool`', "pool")
        self.refused(USAGE, "no command given; see `tandemctl help`")


class CommandLine(CliTest):
    def test_number_of_arguments(self):
        self.refused(USAGE, "usage: tandemctl pool show NAME", "pool", "show")
        self.refused(USAGE, "usage: tandemctl pool show NAME", "pool", "show", "a", "b")
        self.refused(USAGE, "usage: tandemctl drops", "drops", "web")
        self.refused(USAGE, "an argument is empty; see `tandemctl help pool`", "pool", "show", "")

    def test_options(self):
        self.refused(USAGE, "there is no option --foo; see `tandemctl help`", "status", "--foo")
        self.refused(USAGE, "there is no option -x; see `tandemctl help`", "-jx", "status")
        self.refused(USAGE, "the option -s needs a value; see `tandemctl help`", "status", "--socket")
        self.refused(USAGE, "--why is for changes of servers only", "status", "--why", "x")
        for text in ("0", "-1", "x", "", "1x", "604801", "169h", "999ms", "1 m", "10ms"):
            self.refused(USAGE, f'a time-out is a number of seconds or a time such as "10m", from 1s to 168h, not '
                                f'"{text}"', "-t", text, "drops")
        for text in ("1", "604800", "168h", "1000ms", "10m"):
            self.ctl("-t", text, "drops")

    def test_help(self):
        everything = self.ctl("help")
        for words in ("status", "vip list", "vip show NAME", "service list", "service show NAME", "pool list",
                      "pool show NAME", "server show POOL/SERVER", "server ready POOL/SERVER", "server drain POOL/SERVER",
                      "server maint POOL/SERVER", "server weight POOL/SERVER WEIGHT", "config check [FILE]",
                      "config apply [FILE]", "config show", "config schema", "health list", "drops",
                      "engine detach", "trace inject INTERFACE [PACKET ...]", "version"):
            self.assertRegex(everything, rf"(?m)^  {words.replace('[', '.').replace(']', '.')}  ")
        self.assertEqual(self.ctl("--help"), everything)
        self.assertEqual(self.ctl("-h"), everything)
        self.assertEqual(len(self.ctl("help", "server").splitlines()), 5)
        self.assertIn("server drain POOL/SERVER [--why TEXT] [--wait [--timeout TIME]]\n", self.ctl("help", "server", "drain"))
        self.assertIn("server maint POOL/SERVER [--why TEXT]\n", self.ctl("help", "server", "maint"))
        self.assertEqual(self.ctl("server", "drain", "-h"), self.ctl("help", "server", "drain"))
        self.refused(USAGE, 'there is no command "pol"; did you mean "pool"?', "help", "pol")
        self.assertLessEqual(max(map(len, everything.splitlines())), 100)

    def test_version_option(self):
        self.assertRegex(self.ctl("--version"), r"^tandemctl [0-9.]+\n$")
        self.assertEqual(self.api.requests, [])


# Nothing is missing, and nothing is said about it.
CLEAN = 'node = "lb-a";\ninterfaces: { front: { device = "eth0"; }; };\n'


class Config(CliTest):
    def write(self, text):
        path = os.path.join(self.dir, "tandem.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_check_needs_no_daemon(self):
        path = self.write(CLEAN)
        self.assertEqual(self.ctl("-s", self.dir + "/none", "config", "check", path), f"{path}: ok\n")
        self.assertEqual(json.loads(self.ctl("-j", "config", "check", path)), {"ok": True, "diagnostics": []})

    def test_check_prints_every_error(self):
        path = self.write(CLEAN + "noed = 1;\nlimitz: {};\n")
        done = self.run_ctl("config", "check", path)
        text = done.stderr.decode()
        self.assertEqual((done.returncode, done.stdout), (NEGATIVE, b""))
        self.assertRegex(text, rf"(?m)^{path}:3:1: error: .*noed.*\nnoed = 1;\n\^$")
        self.assertRegex(text, rf"(?m)^{path}:4:1: error: .*limitz.*\nlimitz: {{}};\n\^$")
        self.assertEqual(text.splitlines()[-1], f"tandemctl: {path} has 2 errors")

    def test_check_json(self):
        path = self.write(CLEAN + "noed = 1;\n")
        text = self.ctl("-j", "config", "check", path, code=NEGATIVE, stderr=f"tandemctl: {path} has 1 error\n")
        answer = json.loads(text)
        self.assertIs(answer["ok"], False)
        found = [d for d in answer["diagnostics"] if d["level"] == "error"]
        self.assertEqual([(d["file"], d["line"], d["column"], d["source"]) for d in found],
                         [(path, 3, 1, "noed = 1;")])
        self.assertIn("noed", found[0]["message"])

    def test_check_of_files_that_cannot_be_read(self):
        path = self.dir + "/none.conf"
        self.refused(NOT_FOUND, f"{path}: cannot be opened: No such file or directory; create it, or name another file",
                     "config", "check", path)
        self.refused(NEGATIVE, f"{self.dir}: is a directory; name a regular file", "config", "check", self.dir)

    def test_apply(self):
        self.api.give("POST", "/v1/config/apply", {"generation": 18, "diagnostics": []})
        self.assertEqual(self.ctl("config", "apply"), "applied as generation 18\n")
        self.assertEqual(self.last_request(), ("POST", "/v1/config/apply", {}))
        path = self.write("")
        done = self.run_ctl("config", "apply", "tandem.conf", cwd=self.dir)
        self.assertEqual((done.returncode, self.last_request()[2]), (OK, {"path": path}))
        self.refused(NOT_FOUND, f"cannot read {path}.x: No such file or directory", "config", "apply", path + ".x")

    def test_apply_of_a_bad_file(self):
        self.api.problem("POST", "/v1/config/apply", 422, "the file has 1 error; nothing was changed", diagnostics=[
            {"file": "/etc/t.conf", "line": 3, "column": 2, "level": "error", "message": "no\x1b[2Jt so",
             "source": "\tb\x1bd = 1;"},
            {"file": "/etc/t.conf", "line": None, "column": None, "level": "note", "message": "later", "source": None},
            {"level": 7, "line": -1, "column": 1e99, "source": ["x"]}, "x"])
        stderr = ("/etc/t.conf:3:2: error: no\\x1b[2Jt so\n\tb?d = 1;\n\t^\n"
                  "/etc/t.conf: note: later\n"
                  ": error: \n: error: \n"
                  "tandemctl: the file has 1 error; nothing was changed\n")
        self.assertEqual(self.ctl("config", "apply", code=NEGATIVE, stderr=stderr), "")
        text = self.ctl("-j", "config", "apply", code=NEGATIVE,
                        stderr="tandemctl: the file has 1 error; nothing was changed\n")
        self.assertEqual(len(json.loads(text)["diagnostics"]), 4)

    def test_schema_needs_no_daemon(self):
        self.assertIn("health.*.interval", self.ctl("-s", self.dir + "/none", "config", "schema"))
        json.loads(self.ctl("-j", "config", "schema"))


class Manual(CliTest):
    def test_names_every_command(self):
        page = subprocess.run(["groff", "-mandoc", "-Tascii", "-P-cbou", "-rLL=200n", MANUAL], capture_output=True,
                              check=True).stdout.decode()
        commands = re.findall(r"(?m)^  (?! )(?!-)(.*?)  ", self.ctl("help"))
        self.assertGreater(len(commands), 18)
        for words in commands:
            self.assertRegex(page, rf"(?mi)^     {re.escape(words)}( |$)")


class Terminal(CliTest):
    def on_terminal(self, *words, **environment):
        """What tandemctl writes on a terminal."""
        ours, theirs = pty.openpty()
        pieces = []
        with subprocess.Popen([TANDEMCTL, *words], env={**self.environment, "TERM": "xterm", **environment},
                              stdout=theirs, stderr=subprocess.PIPE) as child:
            os.close(theirs)
            try:
                while piece := os.read(ours, 65536):
                    pieces.append(piece)
            except OSError:  # the last writer closed the terminal
                pass
            self.assertEqual(child.wait(), OK, child.stderr.read())
        os.close(ours)
        return b"".join(pieces).decode().replace("\r\n", "\n")

    def test_colour(self):
        self.environment.pop("NO_COLOR", None)
        self.assertIn("\x1b[31mdown\x1b[0m", self.on_terminal("pool", "show", "web"))
        plain = self.on_terminal("pool", "show", "web", NO_COLOR="1")
        self.assertIn("down ", plain)
        self.assertNotIn("\x1b", plain)
        self.assertNotIn("\x1b", self.on_terminal("pool", "show", "web", TERM="dumb"))
        self.assertNotIn("\x1b", self.ctl("pool", "show", "web"))

    def test_drain_stays_in_one_line(self):
        left = Drain.left
        self.api.give("PATCH", WEB1, left(10, 1000))
        self.api.give_each("GET", WEB1, [left(9), left(0)])
        lines = self.on_terminal("server", "drain", "web/web1", "--wait").split("\r")
        first = "web/web1: 10 live records left, 1000 slots may lead older flows to it"
        second = "web/web1: 9 live records left, 0 slots may lead older flows to it"
        self.assertEqual(lines, ["", first, second.ljust(len(first)), "web/web1: drained".ljust(len(second)) + "\n"])

    def test_control_characters_are_escaped(self):
        name = "a\x1b[31mb\x7f\u009b\u202e\ré"
        self.api.give("GET", "/v1/vips", {"vips": [{"name": name, "address": name}]})
        shown = "a\\x1b[31mb\\x7f\\u009b\\u202e\\x0dé"
        self.assertTrue(self.on_terminal("vip", "list").splitlines()[1].startswith(f"{shown}  {shown}"))
        self.assertTrue(self.ctl("vip", "list").splitlines()[1].startswith(f"{shown}  {shown}  -"))
        self.api.problem("GET", "/v1/vips", 500, name)
        self.refused(NEGATIVE, shown, "vip", "list")

    def test_json_on_a_terminal_is_the_same_json(self):
        answer = {"vips": [{"name": "\u009b31m\x7f \u202e é"}]}
        self.api.give("GET", "/v1/vips", json.dumps(answer, ensure_ascii=False).encode())
        text = self.on_terminal("-j", "vip", "list")
        self.assertEqual(json.loads(text), answer)
        self.assertTrue(all(c.isprintable() or c == "\n" for c in text))

    def test_config_show(self):
        self.api.give("GET", "/v1/config", {"text": "a\x1b[2J\n\tb\n"})
        self.assertEqual(self.on_terminal("config", "show"), "a\\u001b[2J\n        b\n".replace("        ", "\t"))
        self.assertEqual(self.ctl("config", "show"), "a\x1b[2J\n\tb\n")


if __name__ == "__main__":
    TANDEMCTL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
