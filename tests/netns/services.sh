#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Services on ranges of ports, of QUIC by connection id, and of all protocols.
#
#   client .99 ── front ─┬─ .2 lb .2 ── back ─┬─ .11 srv1   nat: VIP .10 of front, gateway .1 of back
#                        │                    └─ .12 srv2
#                        └─ .21 srv3                        dsr: VIP .20 of front
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 53 "$(addr back 11 4)/7000-7002" "$(addr back 11 6)/7000-7002" "$(addr back 11 4)/4433-4433"
serve srv2 53 "$(addr back 12 4)/7000-7002" "$(addr back 12 6)/7000-7002" "$(addr back 12 4)/4433-4433"
host srv3
plug srv3 front 21
silent srv3 front 20

config <<-END
	vips: {
		nat4: { address = "$(addr front 10 4)"; interface = "front"; };
		nat6: { address = "$(addr front 10 6)"; interface = "front"; };
		dsr4: { address = "$(addr front 20 4)"; interface = "front"; };
	};
	gateways: {
		back4: { address = "$(addr back 1 4)"; interface = "back"; };
		back6: { address = "$(addr back 1 6)"; interface = "back"; };
	};
	pools: {
		nat4: { servers: {
			srv1: { address = "$(addr back 11 4)"; quic_id = "0a1b"; };
			srv2: { address = "$(addr back 12 4)"; quic_id = "0a1c"; };
		}; };
		nat6: { servers: { srv1: { address = "$(addr back 11 6)"; }; srv2: { address = "$(addr back 12 6)"; }; }; };
		dsr4: { servers: { srv3: { address = "$(addr front 21 4)"; }; }; };
	};
	services: {
		range4: { vip = "nat4"; protocol = "udp"; ports = "7000-7001"; forward = "nat"; pool = "nat4"; };
		range6: { vip = "nat6"; protocol = "udp"; ports = "7000-7001"; forward = "nat"; pool = "nat6"; };
		quic: { vip = "nat4"; protocol = "udp"; port = 4433; forward = "nat"; pool = "nat4"; quic_id_bytes = 2; };
		rest: { vip = "dsr4"; protocol = "any"; forward = "dsr"; pool = "dsr4"; };
	};
END
tandemd_start
serving 5 # there are no checks

# What client sockets hear, without the counts: asked FAMILY PORT [OPTION]...
asked()
{
	on client "$here/ask_udp.py" "$(addr front 10 "$1")" "${@:2}" | sed 's/ [0-9]*$//'
}

for family in 4 6; do
	me=$(addr front 99)
	asked "$family" 7000 --sockets 1 --timeout 0.3 >/dev/null # makes the neighbours known
	for port in 7000 7001; do
		expect_is "what port $port answers" "$(asked "$family" "$port")" "srv1 $me"$'\n'"srv2 $me"
	done
	expect_is "what no range has" "$(asked "$family" 7002 --sockets 1 --timeout 0.3)" lost
done
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0

# Who answers datagrams with a connection id, each from another port of the client's: named HEX
named()
{
	on client python3 - "$(addr front 10 4)" "$1" <<-'END'
		import socket
		import sys

		names = set()
		for _ in range(30):
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
		        sock.settimeout(2)
		        sock.connect((sys.argv[1], 4433))
		        sock.send(bytes.fromhex('4007' + sys.argv[2]) + b'nonce')
		        names.add(sock.recv(2000).split()[0].decode())
		print(*sorted(names))
	END
}

expect_is "a connection whose client moves" "$(named 0a1b)" srv1
expect_is "another server's" "$(named 0a1c)" srv2
expect_is "connections with ids that nobody knows" "$(named ffff)" "srv1 srv2"
ctl server drain nat4/srv1 >/dev/null
expect_is "a drained server's connection" "$(named 0a1b)" srv1
ctl server maint nat4/srv1 >/dev/null
expect_is "the connection of a server that is away" "$(named 0a1b)" srv2
ctl server ready nat4/srv1 >/dev/null

# Neither TCP nor UDP, from the client to the server as it was sent; pings are answered here.
capture rest srv3 front 'ip proto 253'
on client ping -c 1 -W 2 "$(addr front 20 4)" >/dev/null || fail "no answer to a ping"
on client python3 - "$(addr front 20 4)" <<-'END'
	import socket
	import sys

	with socket.socket(socket.AF_INET, socket.SOCK_RAW, 253) as sock:
	    for _ in range(5):
	        sock.sendto(b'neither tcp nor udp', (sys.argv[1], 0))
END
# Whether the server has got them: heard
heard()
{
	[ "$(captured rest | grep -c 'ip-proto-253 19')" -eq 5 ]
}

wait_for 5 "packets of protocol 253 come to the server" heard
