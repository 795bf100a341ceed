#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tunnel services (FAMILY=4 or 6): servers unwrap with tandem-decap, own the VIP and answer directly.
#
#   front ═╤══════════╤══════════╤════════╤═══   VIP .10: clients' packets in, servers' answers out
#     client .99    lb .2     srv1 .21  srv2 .22
#   back  ════════════╧══════════╧════════╧═╤═   tunnels to .11 and .12; MTU 1500, so that whole packets do not fit
#                                      stranger .66
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
host stranger
plug stranger back 66
vip=$(addr front 10)
case $family in
4) protocol=4 outer=ip sources=10.9.0.0/16 fits=1480 ;;
6) protocol=41 outer=ip6 sources=fd72:9::/64 fits=1460 ;;
esac
for n in 1 2; do
	host "srv$n"
	plug "srv$n" front "2$n"
	plug "srv$n" back "1$n"
	silent "srv$n" front 10
	serve "srv$n" 80 "$vip"
done

# decap HOST NET OPTION...
decap()
{
	on "$1" "$build/apps/tandem-decap/tandem-decap" "$2" --run-dir "$lab/$1-decap" "${@:3}"
}

# counted HOST NET COUNTER
counted()
{
	decap "$1" "$2" --status | awk -v name="$3" '$1 == name { print $2 }'
}

# The tunnel services, with what follows "tunnel" in the configuration: services [GROUP]
services()
{
	config <<-END
		vips: { web: { address = "$vip"; interface = "front"; }; };
		${1:+tunnel: $1;}
		health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 1; fall = 50; }; };
		pools: { web: { health = "web"; servers: {
			srv1: { address = "$(addr back 11)"; };
			srv2: { address = "$(addr back 12)"; };
		}; }; };
		services: {
			web: { vip = "web"; port = 80; forward = "tunnel"; pool = "web"; };
			webu: { vip = "web"; port = 80; protocol = "udp"; forward = "tunnel"; pool = "web"; };
		};
	END
}

site=http://$(url front 10)
# A tunnel from the stranger to srv1 that carries a SYN for the VIP.
intrude()
{
	on stranger /usr/bin/python3 - "$family" "$(addr back 66)" "$(addr back 11)" "$(addr front 99)" "$vip" 2>"$lab/intrude.log" <<-END
		import sys
		from scapy.all import IP, IPv6, TCP, send
		family, source, server, client, vip = sys.argv[1:]
		ip = IP if family == "4" else IPv6
		send(ip(src=source, dst=server) / ip(src=client, dst=vip) / TCP(sport=7777, dport=80), verbose=False)
	END
}

was_refused()
{
	[ "$(counted srv1 back refused_source)" = 1 ]
}

upload()
{
	expect_is "SHA-256 of the upload $1" "$(on client curl -sS -m 60 -T "$lab/blob" "$site/")" "$sum"
	expect_is "SHA-256 of the download $1" "$(on client curl -sS -m 60 "$site/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
}

head -c 20000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
services
tandemd_start
serving 2
expect_not "answers come without tandem-decap" on client curl -s -m 1 "$site/who"

# By what ICMP says: segments of the largest size do not fit.
for n in 1 2; do
	decap "srv$n" back --from "$(addr back 2)" --vip "$vip" --mss 9000
done
expected="srv1 $(addr front 99) $vip"$'\n'"srv2 $(addr front 99) $vip"
expect_is "what servers see" "$(who "$site")" "$expected"
capture tunnels switch lb.back "$outer proto $protocol"
upload "by path MTU discovery"
stop tunnels INT
expect_is "where tunnels come from" "$(captured tunnels -q | awk '{ print $3 }' | sort -u)" "$(addr back 2)"
expect "the client was told the MTU" [ "$(verdicts too_big_answered)" -ge 1 ]
expect_is "the MTU that the client keeps" "$(ip -n "$prefix-client" route get "$vip" | grep -oE 'mtu [0-9]+')" "mtu $fits"
unwrapped=$(counted srv1 back unwrapped)
expect "srv1 and srv2 unwrapped" [ $((unwrapped + $(counted srv2 back unwrapped))) -ge 1000 ]

# Datagrams in fragments of that MTU, each in a tunnel of its own.
expect_is "datagrams in fragments that servers answered" \
	"$(on client "$here/ask_udp.py" "$vip" 80 --size 20000 | awk '$1 ~ /^srv/ { n += $3 } END { print n + 0 }')" 40
expect_is "fragments that were dropped" "$(($(verdicts fragment_orphan) + $(verdicts fragment_overlap)))" 0

# By the MSS that servers offer, whose answers leave by the other interface: nothing is too big any more.
for n in 1 2; do
	decap "srv$n" front --from "$(addr back 2)" --vip "$vip"
done
ip -n "$prefix-client" "-$family" route flush cache
told=$(verdicts too_big_answered)
upload "by a smaller MSS"
expect_is "packets that were too big" "$(verdicts too_big_answered)" "$told"
expect "SYN-ACKs were clamped" [ $(($(counted srv1 front clamped) + $(counted srv2 front clamped))) -ge 2 ]

# Everybody else's tunnels end here, also when the programs are exchanged.
decap srv1 back --from "$(addr back 2)" --vip "$vip"
expect "counters go on" [ "$(counted srv1 back unwrapped)" -ge "$unwrapped" ]
expect_is "refused before" "$(counted srv1 back refused_source)" 0
intrude
wait_for 5 "the intruder was refused" was_refused

# From a prefix: many sources, one way for each flow.
services "{ source$family = \"$sources\"; }"
ctl config apply >"$lab/apply"
for n in 1 2; do
	decap "srv$n" back --from "$sources" --vip "$vip"
done
capture spread switch lb.back "$outer proto $protocol"
expect_is "what servers see of tunnels from a prefix" "$(who "$site")" "$expected"
stop spread INT
expect "tunnels come from many addresses" [ "$(captured spread -q | awk '{ print $3 }' | sort -u | wc -l)" -ge 5 ]
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0

decap srv1 back --detach
decap srv2 back --detach
expect_not "srv1 unwraps still" decap srv1 back --status
expect "srv1 clamps still" decap srv1 front --status >"$lab/status"
expect_not "answers come after --detach" on client curl -s -m 1 "$site/who"
