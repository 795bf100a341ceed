#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Stopping tandemd leaves packets flowing; detaching, with a daemon and without, takes everything out of the kernel, or removes what
# tandem-dpdk, which must have ended, has left.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 8080
serve srv2 8080
web 1 2 | config
tandemd_start
serving 4
[ "$engine" = xdp ] && attached=2 || attached=0 # by tandemd
read -ra urls < <(web_urls)
load short client --rate 60 "${urls[@]}"
load long client --keep --rate 40 "${urls[@]}"

# The kernel's numbers of what runs on lb: one program for all interfaces, and its maps; or the process that has the interfaces.
program()
{
	if [ "$engine" = xdp ]; then
		on lb ip -j link show | jq -r '[.[] | .xdp.prog.id // empty] | unique | map(tostring) | join(" ")'
	else
		on lb ip -j link show | jq -r '[.[] | .ifname | select(endswith("-nic"))] | join(" ")'
	fi
}

is_gone()
{
	local map

	! bpftool prog show id "$1" || return
	for map in "${@:2}"; do
		! bpftool map show id "$map" || return
	done
}

# No interface runs a program or is taken over, nothing is pinned, and tables are gone.
expect_detached()
{
	expect_is "programs on lb" "$(program)" ""
	expect_not "a bpffs is mounted" mountpoint -q "$lab/run/bpf"
	expect_not "$lab/run/bpf exists" [ -e "$lab/run/bpf" ]
	expect_not "$lab/run/dpdk exists" [ -e "$lab/run/dpdk" ]
}

# Sets ids to the program and its maps.
look()
{
	[ "$engine" = xdp ] || return 0
	ids=("$(program)")
	mapfile -t -O 1 ids < <(bpftool -j prog show id "${ids[0]}" | jq -r '.map_ids[]')
	expect "there are maps" [ ${#ids[@]} -gt 5 ]
}

expect_freed()
{
	[ "$engine" != xdp ] || wait_for 5 "the kernel frees program and maps" is_gone "${ids[@]}"
}

# What has the interfaces by itself must end before anything is detached: detach_waits COMMAND...
detach_waits()
{
	[ "$engine" = dpdk ] || return 0
	expect_not "$* beside tandem-dpdk" "$@" >"$lab/detach" 2>&1
	expect "it says what to do" grep -q 'tandem-dpdk runs, and has the interfaces; stop it first' "$lab/detach"
	expect "requests are answered all the same" on client curl -sS -m 3 "${urls[@]}" >"$lab/answer"
	expect "tandem-dpdk ends well" stop tandem-dpdk
}

# SIGTERM and SIGINT: an end without errors, and packets flow on.
for signal in TERM INT; do
	more long 20
	expect "tandemd ends well by SIG$signal" stop tandemd $signal
	expect "it says that packets flow" grep -q 'packets keep flowing' <(tail -n 1 "$lab/tandemd.log")
	more short 40
	more long 20
	expect "the program runs on" [ -n "$(program)" ]
	[ $signal = INT ] || tandemd_start
done
stop short
stop long
expect_is "requests lost" "$(lost short)$(lost long)" ""

# Without a daemon tandemctl says what to do, and tandemd does it; twice is no mistake.
status=0
ctl engine detach >"$lab/ctl" 2>&1 || status=$?
expect_is "exit status of tandemctl without a daemon" "$status" 3
expect "it names tandemd --detach" grep -q -- 'tandemd --detach' "$lab/ctl"
look
detach_waits tandemd --detach
expect_is "what tandemd --detach says" "$(tandemd --detach)" "detached from $attached interfaces"
expect_detached
expect_freed
expect_is "what it says the second time" "$(tandemd --detach)" "detached from 0 interfaces"
expect_not "the VIP answers" on client ping -q -c 1 -W 0.3 "$(addr front 10 4)" >"$lab/ping"

# With a daemon it is tandemctl's: tandemd --detach sends there.
tandemd_start
serving 4
on client curl -sS -m 3 "${urls[@]}" >"$lab/answer"
look
expect_not "tandemd --detach beside a daemon" tandemd --detach 2>"$lab/detach"
expect "it names tandemctl engine detach" grep -q 'tandemctl engine detach' "$lab/detach"
expect "the engine still runs" on client curl -sS -m 3 "${urls[@]}" >"$lab/answer"
detach_waits ctl engine detach
expect "the interfaces are detached" holds ".interfaces == $attached" engine detach
expect_detached

# The daemon stays to say so, but a restart only brings the engine back.
expect "status says that it is detached" holds '.engine.detached' status
status=0
ctl config apply >"$lab/ctl" 2>&1 || status=$?
expect_is "exit status of a change" "$status" 6
expect "it says to restart" grep -q restart "$lab/ctl"
expect "tandemd ends well" stop tandemd TERM
expect "it does not say that packets flow" grep -q 'detached' <(tail -n 1 "$lab/tandemd.log")
expect_freed
tandemd_start
serving 4
expect "requests are answered again" on client curl -sS -m 3 "${urls[@]}" >"$lab/answer"
