#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Virtual MAC addresses of VIPs: clients resolve them, traffic flows, the host is reached by its own address as by the virtual
# one; the device's filter has them as long as somebody wants that, whatever becomes of the daemon.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#     VIPs .10 in front, of IPv4 by 00:00:5e:00:01:0a, of IPv6 by 00:00:5e:00:02:0a
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 1
serve srv1 8080
serve lb 81
own=$(ip -n "$prefix-lb" -j link show front | jq -r '.[0].address')
back=$(ip -n "$prefix-lb" -j link show back | jq -r '.[0].address')

# With a MAC address for each family's VIP, or none: with_macs [MAC4 MAC6]
with_macs()
{
	[ $# -gt 0 ] || set -- "" ""
	web 1 | sed -E "s/(web4: .*interface = \"front\";)/\1 ${1:+mac = \"$1\";}/
		s/(web6: .*interface = \"front\";)/\1 ${2:+mac = \"$2\";}/" | config
}

# What the client takes for the MAC address of .10, found anew by a request.
resolved()
{
	ip -n "$prefix-client" neigh flush dev front
	on client curl -sS -m 3 "http://$(url front 10)/who" >"$lab/who"
	ip -n "$prefix-client" -j neigh show "$(addr front 10)" dev front | jq -r '.[0].lladdr'
}

# The host's address answers when frames for it go to that MAC address: host_answers MAC
host_answers()
{
	ip -n "$prefix-client" neigh replace "$(addr front 2)" lladdr "$1" dev front nud permanent
	expect "the host answers at $1" on client ping -q -n -c 3 -i 0.01 -W 1 "$(addr front 2)" >"$lab/ping"
	expect_is "what the host's own server sees by $1" \
		"$(on client curl -sS -m 3 "http://$(url front 2):81/who")" "lb $(addr front 99) $(addr front 2)"
	ip -n "$prefix-client" neigh del "$(addr front 2)" lladdr "$1" dev front
}

# The device that frames come in by.
device=front
[ "$engine" = xdp ] || device=front-nic

filtered()
{
	on lb bridge fdb show dev $device | awk '$1 ~ /^00:00:5e/ { print $1 }' | sort | tr '\n' ' '
}

shown()
{
	ask '.engine.ports[] | select(.name == "front") | .nic.macs | sort | join(" ")' status
}

before=$(on lb bridge fdb show dev front | sort)
with_macs 00:00:5e:00:01:0a 00:00:5e:00:02:0a
tandemd_start
serving 2
expect_is "the filter" "$(filtered)" "00:00:5e:00:01:0a 00:00:5e:00:02:0a "
expect_is "what status shows" "$(shown)" "00:00:5e:00:01:0a 00:00:5e:00:02:0a"
expect_is "what the VIP shows" "$(ask .mac vip show web4)" 00:00:5e:00:01:0a
capture answers client front "ether src $own or ether src 00:00:5e:00:01:0a or ether src 00:00:5e:00:02:0a"
for family in 4 6; do
	mac=00:00:5e:00:0$((family == 4 ? 1 : 2)):0a
	expect_is "the VIP's MAC address of IPv$family" "$(resolved)" "$mac"
	expect_is "what srv1 sees" "$(cat "$lab/who")" "srv1 $(addr front 99) $(addr back 11)"
	expect "the VIP answers pings" on client ping -q -n -c 3 -i 0.01 -W 1 "$(addr front 10)" >"$lab/ping"
	host_answers "$own"
done

# A change; and one that cannot be.
with_macs 00:00:5e:00:01:0b 00:00:5e:00:02:0a
ctl config apply >"$lab/apply"
expect_is "the filter after a change" "$(filtered)" "00:00:5e:00:01:0b 00:00:5e:00:02:0a "
expect_is "what status shows after a change" "$(shown)" "00:00:5e:00:01:0b 00:00:5e:00:02:0a"
expect_is "the VIP's MAC address after a change" "$(family=4 resolved)" 00:00:5e:00:01:0b
with_macs "" 00:00:5e:00:02:0a
ctl config apply >"$lab/apply"
expect_is "the filter with one fewer" "$(filtered)" "00:00:5e:00:02:0a "
expect_is "what status shows with one fewer" "$(shown)" 00:00:5e:00:02:0a
expect_is "the VIP's MAC address without one" "$(family=4 resolved)" "$own"
with_macs 00:00:5e:00:01:0b 00:00:5e:00:02:0a
ctl config apply >"$lab/apply"
expect_is "the filter with one more" "$(filtered)" "00:00:5e:00:01:0b 00:00:5e:00:02:0a "
expect_is "the VIP's MAC address with one more" "$(family=4 resolved)" 00:00:5e:00:01:0b
with_macs "$back"
expect_not "another interface's MAC address is taken" ctl config apply >"$lab/apply" 2>&1
expect "it is said why" grep -qE "vip \"web4\": mac $back is in use: interface back(-nic)? of this host has it" "$lab/apply"

# The engine's process dies, and a change comes before it is back.
if [ "$engine" = dpdk ]; then
	slay tandem-dpdk
	expect_is "the filter without tandem-dpdk" "$(filtered)" "00:00:5e:00:01:0b 00:00:5e:00:02:0a "
	expect_is "virtual MAC addresses on record" "$(grep -c ^unicast "$lab/run/dpdk/nic")" 2
	with_macs 00:00:5e:00:01:0c 00:00:5e:00:02:0a
	start tandem-dpdk lb "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run"
	wait_for 10 "tandem-dpdk serves again" holds '.engine.state == "serving"' status
	expect_is "the filter of the next tandem-dpdk" "$(filtered)" "00:00:5e:00:01:0b 00:00:5e:00:02:0a "
	ctl config apply >"$lab/apply"
	expect_is "the filter after the next change" "$(filtered)" "00:00:5e:00:01:0c 00:00:5e:00:02:0a "
	expect_is "what status shows of the next tandem-dpdk" "$(shown)" "00:00:5e:00:01:0c 00:00:5e:00:02:0a"
	for family in 4 6; do
		mac=$([ "$family" = 4 ] && echo 00:00:5e:00:01:0c || echo 00:00:5e:00:02:0a)
		expect_is "the VIP's MAC address of IPv$family by the next tandem-dpdk" "$(resolved)" "$mac"
		expect_is "what srv1 sees by the next tandem-dpdk" "$(cat "$lab/who")" "srv1 $(addr front 99) $(addr back 11)"
	done
	with_macs 00:00:5e:00:01:0b 00:00:5e:00:02:0a
	ctl config apply >"$lab/apply"
fi

# The daemon dies: all goes on. The next one wants none.
slay tandemd
expect_is "the filter without tandemd" "$(filtered)" "00:00:5e:00:01:0b 00:00:5e:00:02:0a "
expect_is "the VIP's MAC address without tandemd" "$(family=6 resolved)" 00:00:5e:00:02:0a
with_macs
tandemd_start
serving 2
expect_is "the filter of one who wants none" "$(filtered)" ""
for family in 4 6; do
	expect_is "the VIP's MAC address in the end" "$(resolved)" "$own"
done

# The host by a virtual address. In native mode this kernel's veth has told frames for others apart before the program runs,
# and remembers; devices with a driver of their own, and generic mode, do so behind it.
expect "it stops" stop tandemd
expect "all is detached" detach
expect_is "what the device takes, detached" "$(on lb bridge fdb show dev front | sort)" "$before"
[ "$engine" = xdp ] || exit 0
with_macs 00:00:5e:00:01:0a 00:00:5e:00:02:0a
echo 'engine: { mode = "generic"; };' >>"$lab/tandem.conf"
tandemd_start
serving 2
for family in 4 6; do
	mac=00:00:5e:00:0$((family == 4 ? 1 : 2)):0a
	expect_is "the VIP's MAC address in generic mode" "$(resolved)" "$mac"
	host_answers "$mac"
	host_answers "$own"
done
slay tandemd
expect "all is detached in the end" tandemd --detach >"$lab/detach"
expect_is "what the device takes in the end" "$(on lb bridge fdb show dev front | sort)" "$before"
expect_not "there is a list of changes" [ -e "$lab/run/nic" ]

# Answers left with the virtual addresses, and forwarded packets with the interface's own.
expect "pongs by the virtual MAC address" grep -q . < <(captured answers -e "ether src 00:00:5e:00:01:0a and icmp[0] == 0")
expect "ARP answers by it" grep -q . < <(captured answers -e "ether src 00:00:5e:00:01:0a and arp[6:2] == 2")
expect "advertisements by that of IPv6" grep -q . < <(captured answers -e "ether src 00:00:5e:00:02:0a and ip6[40] == 136")
expect "replies by the interface's own" grep -q . < <(captured answers -e "ether src $own and tcp src port 80")
expect_not "replies by a virtual one" grep -q . < <(captured answers -e "not ether src $own and tcp src port 80")
