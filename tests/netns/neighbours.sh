#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Next hops: unresolved, moved to another MAC with and without a word, behind routers, and changed (FAMILY=4 or 6).
#
#   client .99 ── wide ── .7 r0 .7 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080            VIP near .10
#                                   VIPs .10 .20  gateway .1     ├─ .5 r1 .5 ─┬─ far ── .13 srv3:8080
#                                                                └─ .6 r2 .6 ─┘              VIP far .20
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

# router NAME NET NUMBER NET NUMBER
router()
{
	host "$1"
	on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	plug "$1" "$2" "$3"
	plug "$1" "$4" "$5"
}

# The way of lb to the network far: way add|replace|del [NUMBER-IN-BACK]
[ "$family" = 4 ] && wide=10.72.1.0/24 far=10.72.4.0/24 || wide=fd72:1::/64 far=fd72:4::/64
way()
{
	ip -n "$prefix-lb" route "$1" "$far" ${2:+via "$(addr back "$2")"}
}

net wide front back far
host client
plug client wide 99
gateway client wide 7
router r0 wide 7 front 7
host lb
plug lb front 2
plug lb back 2
gateway lb front 7
router r1 back 5 far 5
router r2 back 6 far 6
gateway r1 back 1
host srv1
plug srv1 back 11
gateway srv1 back 1
host srv3
plug srv3 far 13
gateway srv3 far 5
serve srv1 8080
serve srv3 8080
way add 5
config <<-END
	vips: {
		near: { address = "$(addr front 10)"; interface = "front"; };
		far: { address = "$(addr front 20)"; interface = "front"; };
	};
	gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
	pools: {
		near: { servers: { srv1: { address = "$(addr back 11)"; port = 8080; }; }; };
		far: { servers: { srv3: { address = "$(addr far 13)"; port = 8080; }; }; };
	};
	services: {
		near: { vip = "near"; port = 80; forward = "nat"; pool = "near"; };
		far: { vip = "far"; port = 80; forward = "nat"; pool = "far"; };
	};
END

fetch()
{
	[ "$(on client curl -s -m "${2-1}" "http://$(url front "$1")/who" | cut -d ' ' -f 1)" = "$3" ]
}

# no_way PREFIX NUMBER SERVER
no_way()
{
	before=$(verdicts no_route)
	ip -n "$prefix-lb" route add unreachable "$1"
	wait_for 5 "no_route counts when there is none to $1" is_dropped "$2" "$3"
	expect_not "$3 answers without a route to $1" fetch "$2" 0.5 "$3"
	ip -n "$prefix-lb" route del unreachable "$1"
}

is_dropped()
{
	! fetch "$1" 0.3 "$2" && [ "$(verdicts no_route)" -gt "$before" ]
}

# One that cannot be resolved is asked for, and counted; when it is there, packets flow by themselves.
ip -n "$prefix-switch" link set srv1.back down
tandemd_start
expect_not "srv1 answers without a cable" fetch 10 0.5 srv1
expect "no_neighbour counts for the VIP and its service" holds '[.drops[] | select(.vip == "near" and
	.reason == "no_neighbour") | .count > 0] == [true, true]' drops
expect "the kernel was asked for srv1" grep -qE 'INCOMPLETE|FAILED' < <(
	ip -n "$prefix-lb" neigh show "$(addr back 11)" dev back)
ip -n "$prefix-switch" link set srv1.back up
wait_for 6 "srv1 answers" fetch 10 1 srv1

# The same with one that the kernel has forgotten, on the way back.
ip -n "$prefix-lb" neigh del "$(addr front 7)" dev front
wait_for 6 "srv1 answers when the way to the client was forgotten" fetch 10 3 srv1

# A server changes its MAC and says so; another time it does not, and is found by the kernel's timers.
moved()
{
	ip -n "$prefix-srv1" link set back address "$1"
	wait_for "$2" "srv1 answers from $1" fetch 10 1 srv1
	expect_is "srv1's MAC for lb" "$(ip -n "$prefix-lb" -j neigh show "$(addr back 11)" dev back |
		jq -r '.[0].lladdr')" "$1"
}
on srv1 sysctl -qw net.ipv4.conf.back.arp_notify=1 net.ipv6.conf.back.ndisc_notify=1
moved 02:00:00:00:11:01 4
on srv1 sysctl -qw net.ipv4.conf.back.arp_notify=0 net.ipv6.conf.back.ndisc_notify=0
for v in 4 6; do
	on lb sysctl -qw "net.ipv$v.neigh.back.base_reachable_time_ms=500" "net.ipv$v.neigh.back.retrans_time_ms=100" \
		"net.ipv$v.neigh.back.delay_first_probe_time=1"
done
ip -n "$prefix-lb" neigh change "$(addr back 11)" dev back lladdr 02:00:00:00:11:01 nud stale
moved 02:00:00:00:11:02 15

# It moves while no tandemd runs.
slay tandemd
on srv1 sysctl -qw net.ipv4.conf.back.arp_notify=1 net.ipv6.conf.back.ndisc_notify=1
ip -n "$prefix-srv1" link set back address 02:00:00:00:11:03
tandemd_start
moved 02:00:00:00:11:03 4

# A route changes the router in between, at once and without a lost request.
received()
{
	ip -n "$prefix-$1" -j -s link show back | jq '.[0].stats64.rx.packets'
}
expect "srv3 answers through r1" fetch 20 3 srv3
expect "srv3 answers through r1" fetch 20 3 srv3
load short client --workers 4 --rate 80 "http://$(url front 20)/who"
ip -n "$prefix-lb" neigh replace "$(addr back 6)" dev back nud permanent \
	lladdr "$(ip -n "$prefix-r2" -j link show back | jq -r '.[0].address')"
more short 20
way replace 6
more short 20
r1=$(received r1)
r2=$(received r2)
more short 60
expect "r2 has taken over" [ $(($(received r2) - r2)) -ge 240 ]
expect "r1 is hardly asked any more" [ $(($(received r1) - r1)) -le 20 ]
stop short
expect_is "requests lost" "$(lost short)" ""

# Without a way packets are dropped by name: there to the server, here back to the client.
way del
no_way "$far" 20 srv3
way add 5
wait_for 6 "srv3 answers again" fetch 20 1 srv3
no_way "$wide" 10 srv1
wait_for 6 "srv1 answers again" fetch 10 1 srv1
