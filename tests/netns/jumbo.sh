#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Large frames: native mode up to its largest MTU, generic mode beyond it, and a sentence where native mode is wanted.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 1
serve srv1 8080
head -c 5000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)

# The MTU of all interfaces; that of lb's ends last: mtu N
mtu()
{
	local host

	for net in front back; do
		ip -n "$prefix-switch" link set $net mtu "$1"
	done
	for host in client srv1 lb; do
		for net in front back; do
			on switch ip link show "$host.$net" >"$lab/show" 2>&1 || continue
			ip -n "$prefix-switch" link set "$host.$net" mtu "$1"
			ip -n "$prefix-$host" link set $net mtu "$1"
		done
	done
}

# Blobs go both ways, in frames of that size: flows MTU
flows()
{
	local v site

	serving 2
	for v in 4 6; do
		site=http://$(url front 10 $v)
		capture "mtu$1-$v" srv1 back "port 8080 and greater $(($1 - 60))"
		expect_is "SHA-256 of the download" "$(on client curl -sS -m 30 "$site/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
		expect_is "SHA-256 of the upload" "$(on client curl -sS -m 30 -T "$lab/blob" "$site/")" "$sum"
		stop "mtu$1-$v" INT
		expect "there were frames of MTU $1" [ "$(captured "mtu$1-$v" | wc -l)" -ge 100 ]
	done
	expect_is "bad checksums received" "$(bad_checksums client srv1)" 0
	expect_is "packets that were too big" "$(verdicts too_big)" 0
}

modes()
{
	ask '[.engine.ports[].mode] | unique | join(" ")' status
}

web 1 | config
mtu 3506
tandemd_start
[ "$engine" != xdp ] || expect_is "the modes of MTU 3506" "$(modes)" native
flows 3506

# An MTU that comes later: the program stays, and words tell what is lost.
later()
{
	on switch ip link set lb.front xdp off
	ip -n "$prefix-lb" link set front mtu 9000
	wait_for 5 "status warns of the larger MTU" holds \
		'.warnings[] | select(test("front has an MTU of 9000, but native XDP takes at most 3506: larger packets are lost"))' status
	expect "the log warns too" grep -q 'warning: interface front has an MTU of 9000 now' "$lab/tandemd.log"
	ip -n "$prefix-lb" link set front mtu 3506
}
[ "$engine" != xdp ] || later
expect "tandemd ends" stop tandemd
detach

# XDP programs of the switch's ends would keep lb's ends from a larger MTU.
for host in client lb srv1; do
	for net in front back; do
		on switch ip link set "$host.$net" xdp off 2>"$lab/off" || continue
	done
done
mtu 9000
tandemd_start
if [ "$engine" = xdp ]; then
	expect_is "the modes of MTU 9000" "$(modes)" generic
	expect "the log names MTU and limit" grep -q 'front has an MTU of 9000, but native XDP takes at most 3506' "$lab/tandemd.log"
	expect "status warns" holds '.warnings[] | select(test("front runs in generic mode.*MTU is 9000.*3506"))' status
fi
flows 9000
[ "$engine" = xdp ] || exit 0
expect "tandemd ends" stop tandemd
detach

{
	web 1
	echo 'engine: { mode = "native"; };'
} | config
expect_not "tandemd starts" tandemd 2>"$lab/native"
expect "it says what is wrong, and what to do" grep -q \
	'interface front has an MTU of 9000, but native XDP takes at most 3506.*lower its MTU, or set engine.mode' "$lab/native"
