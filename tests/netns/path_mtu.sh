#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ICMP errors about flows, on either side of the appliance (FAMILY=4 or 6): path MTU discovery, closed ports, hop limits.
#
#   client .99 ── far 1400 ── .5 r .5 ── front ──┬── lb ── back ── .8 s .8 ── rack 1400 ── .11 srv1:8080 (nat), :80 (tunnels)
#                                                └── .21 srv2:80 (dsr), answers by r
#
# r and s send no more than 1,400 bytes into `far` and `rack`; everybody else sends packets of 1,500.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

case $family in
4) hops=IP_TTL level=IPPROTO_IP room=20 other=6 other_room=40 ;;
6) hops=IPV6_UNICAST_HOPS level=IPPROTO_IPV6 room=40 other=4 other_room=20 ;;
esac
net front back far rack
host client
plug client far 99
gateway client far 5
host r
plug r far 5
plug r front 5
host lb
plug lb front 2
plug lb back 2
host s
plug s back 8
plug s rack 8
gateway s back 1
host srv1
plug srv1 rack 11 12
gateway srv1 rack 8
host srv2
plug srv2 front 21
gateway srv2 front 5
silent srv2 front 20
silent srv1 front 30
silent srv1 front 40
silent srv1 front 50
for router in r s lb; do
	on "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
done
# By routes, since a veth drops what comes in larger than its own MTU as well.
ip -n "$prefix-r" route add "$(addr far 99)" dev far mtu lock 1400
ip -n "$prefix-s" route add "$(addr rack 11)" dev rack mtu lock 1400
ip -n "$prefix-s" route add "$(addr rack 12)" dev rack mtu lock 1400
ip -n "$prefix-lb" route add "$(addr far 99)" via "$(addr front 5)"
ip -n "$prefix-lb" route add "$(addr rack 11)" via "$(addr back 8)"
ip -n "$prefix-lb" route add "$(addr rack 12)" via "$(addr back 8)"
# The way of tunnels in the other family.
ip -n "$prefix-s" route add "$(addr rack 11 "$other")" dev rack mtu lock 1400
ip -n "$prefix-lb" route add "$(addr rack 11 "$other")" via "$(addr back 8 "$other")"
serve srv1 8080
start tunnelled srv1 "$here/server.py" srv1 "$lab" 80
serve srv2 80
config <<-END
	vips: {
		nat: { address = "$(addr front 10)"; interface = "front"; };
		dsr: { address = "$(addr front 20)"; interface = "front"; };
		tunnel: { address = "$(addr front 30)"; interface = "front"; };
		cross: { address = "$(addr front 40)"; interface = "front"; };
		gue: { address = "$(addr front 50)"; interface = "front"; };
	};
	gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
	health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; fall = 50; }; };
	pools: {
		nat: { health = "web"; servers: { srv1: { address = "$(addr rack 11)"; port = 8080; }; }; };
		dsr: { health = "web"; servers: { srv2: { address = "$(addr front 21)"; }; }; };
		tunnel: { servers: { srv1: { address = "$(addr rack 11)"; }; }; };
		cross: { servers: { srv1: { address = "$(addr rack 11 "$other")"; }; }; };
		gue: { encapsulation = "gue"; servers: { srv1: { address = "$(addr rack 12)"; }; }; };
		closed: { servers: { srv1: { address = "$(addr rack 11)"; port = 9; }; }; };
	};
	services: {
		nat: { vip = "nat"; port = 80; forward = "nat"; pool = "nat"; };
		dsr: { vip = "dsr"; port = 80; forward = "dsr"; pool = "dsr"; };
		tunnel: { vip = "tunnel"; port = 80; forward = "tunnel"; pool = "tunnel"; };
		cross: { vip = "cross"; port = 80; forward = "tunnel"; pool = "cross"; };
		gue: { vip = "gue"; port = 80; forward = "tunnel"; pool = "gue"; };
		closed: { vip = "nat"; port = 53; protocol = "udp"; forward = "nat"; pool = "closed"; };
	};
END
tandemd_start
serving 6
head -c 5000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)

# mtu HOST NET N: what a host has learned of the path to an address
mtu()
{
	ip -n "$prefix-$1" route get "$(addr "$2" "$3")" | grep -oE 'mtu [0-9]+' || echo "no mtu"
}

download()
{
	on client curl -sS -m 20 "http://$(url front "$1")/blob" | sha256sum | cut -d ' ' -f 1
}

# A datagram from the client to a service, and what comes of it: the number of its error.
knock()
{
	on client /usr/bin/python3 - "$family" "$(addr front 10)" "$@" <<-'END'
		import errno, socket, sys
		family, address, port = sys.argv[1:4]
		sock = socket.socket(socket.AF_INET6 if family == '6' else socket.AF_INET, socket.SOCK_DGRAM)
		sock.settimeout(3)
		if len(sys.argv) > 4:
		    sock.setsockopt(getattr(socket, sys.argv[4]), getattr(socket, sys.argv[5]), int(sys.argv[6]))
		    sock.setsockopt(*((0, 11) if family == '4' else (41, 25)), 1)  # IP_RECVERR, IPV6_RECVERR
		sock.connect((address, int(port)))
		sock.send(b'anybody?')
		try:
		    sock.recv(100)
		except socket.timeout:
		    print('timeout')
		except OSError as why:
		    print(errno.errorcode[why.errno])
	END
}

# What the server sends is too big for the way to the client, and it learns that through the VIP.
capture errors srv1 rack "icmp or icmp6"
expect_is "SHA-256 of the download by nat" "$(download 10)" "$sum"
expect_is "what srv1 has learned" "$(mtu srv1 far 99)" "mtu 1400"
expect_is "SHA-256 of the download by dsr" "$(download 20)" "$sum"
expect_is "what srv2 has learned" "$(mtu srv2 far 99)" "mtu 1400"

# What the client sends is too big for the way to the server, and the VIP says so. (A server that has learned the path
# offers segments that fit.)
ip -n "$prefix-srv1" "-$family" route flush cache
capture told client far "icmp or icmp6"
expect_is "SHA-256 of the upload" "$(on client curl -sS -m 20 -T "$lab/blob" "http://$(url front 10)/")" "$sum"
expect_is "what the client has learned" "$(mtu client front 10)" "mtu 1400"

# What it sends by a tunnel is too big for the tunnel's way: the VIP says so once the appliance has been told.
on srv1 "$build/apps/tandem-decap/tandem-decap" rack --run-dir "$lab/decap" --from "$(addr back 2)" \
	--from "$(addr back 2 "$other")" --vip "$(addr front 30)" --vip "$(addr front 40)" \
	--vip "$(addr front 50)" --gue 6080 --mss 9000
expect_is "SHA-256 of the upload by tunnel" "$(on client curl -sS -m 20 -T "$lab/blob" "http://$(url front 30)/")" "$sum"
expect_is "what the client has learned of the tunnel" "$(mtu client front 30)" "mtu $((1400 - room))"
expect_is "what the appliance has learned" "$(ask '.servers[0].path_mtu' pool show tunnel)" 1400
expect_is "SHA-256 of the upload by a tunnel of the other family" \
	"$(on client curl -sS -m 20 -T "$lab/blob" "http://$(url front 40)/")" "$sum"
expect_is "what the client has learned of that tunnel" "$(mtu client front 40)" "mtu $((1400 - other_room))"
expect_is "what the appliance has learned of it" "$(ask '.servers[0].path_mtu' pool show cross)" 1400
expect_is "SHA-256 of the upload by GUE" "$(on client curl -sS -m 20 -T "$lab/blob" "http://$(url front 50)/")" "$sum"
expect_is "what the client has learned of GUE" "$(mtu client front 50)" "mtu $((1400 - room - 8))"
expect_is "what the appliance has learned by GUE" "$(ask '.servers[0].path_mtu' pool show gue)" 1400
expect_is "what it knows of other servers" "$(ask '.servers[0].path_mtu' pool show dsr)" null

# A port that nobody listens on, behind the VIP; and a packet that does not come further than here.
expect_is "what comes of a closed port" "$(knock 53)" ECONNREFUSED
expect_is "what comes of two hops" "$(knock 53 "$level" "$hops" 2)" EHOSTUNREACH
stop told INT
stop errors INT
expect_is "who else tells the client" "$(captured told "not (src host $(addr front 10) or src host $(addr front 30) or src host $(addr front 40) or
	src host $(addr front 50)) and
	(icmp or icmp6[0] == 1 or icmp6[0] == 2 or icmp6[0] == 3)" | wc -l)" 0
for log in told errors; do
	expect_is "a bad checksum in $log" "$(captured "$log" -vv | grep -m 1 -E 'wrong|incorrect|bad (hdr |udp )?cksum' || :)" ""
done
expect "time exceeded was counted" [ "$(verdicts ttl_exceeded_answered)" = 1 ]
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2 r s)" 0
expect_is "drops" "$(ask '[.drops[] | select(.action == "drop" and .reason != "no_neighbour")]' drops)" '[]'
