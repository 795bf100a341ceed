#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real packets through tandemd, attached as on a network card, and through tandem-decap: nat and tunnel services in both
# families. For the machine that tests/kernel/run boots, where there are neither Python nor curl; it runs anywhere else too.
#
#   front ═╤══════════╤═══════════════════╤═══   VIPs .10 (nat) and .20 (tunnel)
#     client .99    lb .2              srv2 .22
#   back  ════════════╧═════════╧═════════╧═══   gateway .1
#                           srv1 .11   srv2 .12
# shellcheck source-path=SCRIPTDIR/../netns
. "$(dirname "$0")/../netns/helper.sh"

# One that sends back what comes, to many at a time: echo_server HOST PORT
echo_server()
{
	start "$1" "$1" socat "TCP6-LISTEN:$2,ipv6only=0,reuseaddr,fork" EXEC:cat
}

# Whether what an address sends back to the client is what was sent: echoes ADDRESS
echoes()
{
	on client timeout 20 socat -t 20 - "TCP:$1:80" <"$lab/blob" >"$lab/echo" &&
		cmp "$lab/echo" "$lab/blob"
}

# decap NET OPTION...
decap()
{
	on srv2 "$build/apps/tandem-decap/tandem-decap" "$1" --run-dir "$lab/decap" "${@:2}"
}

# counted NET COUNTER
counted()
{
	decap "$1" --status | awk -v name="$2" '$1 == name { print $2 }'
}

two_arm 1
host srv2
plug srv2 front 22
plug srv2 back 12
silent srv2 front 20
echo_server srv1 8080
echo_server srv2 80
for net in front back; do
	decap "$net" --from "$(addr back 2 4)" --from "$(addr back 2 6)" \
		--vip "$(addr front 20 4)" --vip "$(addr front 20 6)"
done

config <<-END
	vips: {
		nat4: { address = "$(addr front 10 4)"; interface = "front"; };
		nat6: { address = "$(addr front 10 6)"; interface = "front"; };
		tunnel4: { address = "$(addr front 20 4)"; interface = "front"; };
		tunnel6: { address = "$(addr front 20 6)"; interface = "front"; };
	};
	gateways: {
		back4: { address = "$(addr back 1 4)"; interface = "back"; };
		back6: { address = "$(addr back 1 6)"; interface = "back"; };
	};
	health: { echo: { type = "tcp"; interval = "1s"; timeout = "900ms"; rise = 1; }; };
	pools: {
		nat4: { health = "echo"; servers: { srv1: { address = "$(addr back 11 4)"; port = 8080; }; }; };
		nat6: { health = "echo"; servers: { srv1: { address = "$(addr back 11 6)"; port = 8080; }; }; };
		tunnel4: { health = "echo"; servers: { srv2: { address = "$(addr back 12 4)"; }; }; };
		tunnel6: { health = "echo"; servers: { srv2: { address = "$(addr back 12 6)"; }; }; };
	};
	services: {
		nat4: { vip = "nat4"; port = 80; forward = "nat"; pool = "nat4"; };
		nat6: { vip = "nat6"; port = 80; forward = "nat"; pool = "nat6"; };
		tunnel4: { vip = "tunnel4"; port = 80; forward = "tunnel"; pool = "tunnel4"; };
		tunnel6: { vip = "tunnel6"; port = 80; forward = "tunnel"; pool = "tunnel6"; };
	};
END
mode=native
[ "$engine" = xdp ] || mode=net_af_packet

tandemd_start
serving 4 30
expect_is "modes of ports" "$(ask '[.engine.ports[] | "\(.name) \(.mode)"] | sort | join(", ")' status)" \
	"back $mode, front $mode"
for net in front back; do
	expect_is "tandem-decap's mode on $net" "$(counted "$net" mode)" native
done

# Large enough for whole segments, which fit into a tunnel because tandem-decap lowers the MSS that srv2 offers.
head -c 200000 /dev/urandom >"$lab/blob"
for v in 4 6; do
	expect "the VIP of IPv$v answers pings" on client ping -q -c 2 -i 0.2 "$(addr front 10 $v)" >"$lab/ping"
	for _ in 1 2 3; do
		expect "nat over IPv$v carries both ways" echoes "$(url front 10 $v)"
		expect "a tunnel over IPv$v carries, and its server answers" echoes "$(url front 20 $v)"
	done
done

# The blob six times, in segments of at most 1448 bytes.
unwrapped=$(counted back unwrapped)
expect "tandem-decap unwrapped all that came by tunnel" [ "$unwrapped" -ge $((6 * 200000 / 1448)) ]
expect_is "SYN-ACKs that it clamped" "$(counted front clamped)" 6
expect_is "packets too big for a tunnel" "$(verdicts too_big_answered)" 0
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
expect "the services counted packets" holds '[.services[].packets > 100] | all' service list

for net in front back; do # each takes off its own programs only, the last all that there is
	decap "$net" --detach
done
expect_not "tandem-decap's bpffs is mounted still" mountpoint -q "$lab/decap/bpf"
expect "tandemd ends" stop tandemd
[ "$engine" = xdp ] || expect "tandem-dpdk ends" stop tandem-dpdk
expect "everything is detached" tandemd --detach >"$lab/detach"
expect_is "programs that stay" "$(programs)" 0
