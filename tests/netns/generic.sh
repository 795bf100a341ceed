#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Interfaces that do not take XDP in native mode run in generic mode, which status and the log name. For tandem-dpdk they are
# as others.
#
#   client .99 ── front ── (eth) lb .2 ── back ─┬─ .11 srv1:8080
#                 VIP .10        gateway .1     └─ .12 srv2:8080
#   lb's `front` is a bridge on top of the veth `eth`.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
ip -n "$prefix-lb" link set front down
ip -n "$prefix-lb" link set front name eth
ip -n "$prefix-lb" addr flush dev eth
ip -n "$prefix-lb" link add front type bridge stp_state 0 mcast_snooping 0
ip -n "$prefix-lb" link set eth master front up
ip -n "$prefix-lb" link set front up
for v in 4 6; do
	[ $v = 4 ] && length=24 || length=64
	ip -n "$prefix-lb" addr add "$(addr front 2 $v)/$length" dev front
done
serve srv1 8080
serve srv2 8080
head -c 5000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)

modes()
{
	ask '[.engine.ports[] | "\(.name) \(.mode)"] | join(", ")' status
}

# Pings, small requests, and a large one each way, in both families.
flows()
{
	local v site

	serving 4
	for v in 4 6; do
		site=http://$(url front 10 $v)
		expect "the VIP answers pings" on client ping -q -c 3 -i 0.1 "$(addr front 10 $v)" >"$lab/ping"
		for _ in 1 2 3 4 5 6 7 8; do
			on client curl -sS -m 3 "$site/who"
		done >"$lab/answers"
		expect_is "SHA-256 of the download" "$(on client curl -sS -m 30 "$site/blob" | sha256sum | cut -d ' ' -f 1)" \
			"$sum"
		expect_is "SHA-256 of the upload" "$(on client curl -sS -m 30 -T "$lab/blob" "$site/")" "$sum"
	done
	expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
}

web 1 2 | config
tandemd_start
if [ "$engine" = dpdk ]; then
	flows
	exit
fi

# A bridge cannot: auto falls back and warns.
expect "the log warns of front" grep -q 'warning: interface front .* generic' "$lab/tandemd.log"
expect "front runs in generic mode" grep -q 'front generic' <(modes)
flows
expect "tandemd ends" stop tandemd
expect "everything is detached" tandemd --detach >"$lab/detach"

# native takes no less; nothing stays behind on back, which could.
{
	web 1 2
	echo 'engine: { mode = "native"; };'
} | config
expect_not "tandemd starts" tandemd 2>"$lab/native"
expect "it names interface and mode" grep -qE 'interface front .*native' "$lab/native"
expect_is "programs on lb" "$(programs)" 0
expect_not "a bpffs is left" mountpoint -q "$lab/run/bpf"

# generic is what the operator gets where he asks for it.
{
	web 1 2
	echo 'engine: { mode = "generic"; };'
} | config
tandemd_start
expect_is "modes" "$(modes)" "front generic, back generic"
flows
