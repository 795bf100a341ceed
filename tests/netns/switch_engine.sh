#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A node changes from one engine to the other and back by reloads, under load: no flow moves, and no more is lost than in the gaps that
# are told. A change that cannot be is refused in words and leaves all as it is; in the end the interfaces are as they were.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080, drained, so that its slots are in change
#                VIP .10     gateway .1      ├─ .12 srv2:8080
#                                            ├─ .13 srv3:8080
#                                            └─ .14 srv4:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only xdp "both engines, one after the other"
has_dpdk

mac=00:00:5e:00:01:0a # of the VIP of IPv4

# Connections of port 80 are tracked while slots are in change, those of port 81 always: site TYPE
site()
{
	dpdk=
	[ "$1" = xdp ] || dpdk=' engine: { type = "dpdk"; };'
	web 1 2 3 4 | sed -E "s/(web4: .*interface = \"front\";)/\1 mac = \"$mac\";/" | sed -e 's/forward = "nat"/idle = "60s"; &/' -e '/^web[46]: { health/p; s/^web\([46]: { health\)/all\1/; /^all/s/8080/8081/g' \
		-e "s/^services: {/&\\
		all4: { vip = \"web4\"; port = 81; forward = \"nat\"; pool = \"all4\"; track = \"all\"; };\\
		all6: { vip = \"web6\"; port = 81; forward = \"nat\"; pool = \"all6\"; track = \"all\"; };\\
		echo: { vip = \"web4\"; port = 8080; protocol = \"udp\"; forward = \"nat\"; pool = \"web4\"; };/" | config
}

# What the host has on its interfaces, and what was changed about them.
holdings()
{
	local net

	for net in front back; do
		ip -n "$prefix-lb" -br addr show "$net" | awk '{ $1 = $2 = ""; print }'
		ip -n "$prefix-lb" route show dev "$net"
		ip -n "$prefix-lb" -6 route show dev "$net" | sort
		on lb ethtool -k "$net"
		on lb bridge fdb show dev "$net" | sort
	done
}

# Counters, as the API shows them.
counters()
{
	ask '[.services[] | .packets, .bytes] | map(tostring) | join(" ")' service list
	ask '[.pools[].servers[] | .packets, .bytes] | map(tostring) | join(" ")' pool list
	ask '[.drops[] | select(.vip == null) | .count] | map(tostring) | join(" ")' drops
}

# No number of the first file is above that in its place of the second.
not_reset()
{
	paste -d ' ' <(tr ' ' '\n' <"$1") <(tr ' ' '\n' <"$2") | awk '$1 > $2 { bad = 1 } END { exit bad }'
}

two_arm 4
for n in 1 2 3 4; do
	serve "srv$n" 8080 "$(addr back "1$n" 4)"
	start "srv$n-all" "srv$n" "$here/server.py" "srv$n" "$lab" 8081
done
holdings >"$lab/holdings.before"
site xdp
tandemd_start
serving 16
read -ra urls < <(web_urls)
for url in "${urls[@]}"; do
	all_urls+=("${url/\/who/:81/who}")
done
start held client "$here/hold.py" --connections 240 --period 2 "${urls[@]}" "${all_urls[@]}"
load short client --rate 60 "${urls[@]}" "${all_urls[@]}"
more held 240
for pool in web4 web6 all4 all6; do
	ctl server drain $pool/srv1 >>"$lab/ctl"
done
serving 12
expect "slots are in change" [ "$(ask '[.pools[].slots_tracked] | add' pool list)" -gt 0 ]

# Nobody is there to change over to.
site dpdk
expect_not "a change to an engine that does not run is taken" ctl config apply >"$lab/refusal" 2>&1
expect_is "refusal" "$(tail -n 1 "$lab/refusal")" "tandemctl: the engine cannot be changed from xdp to dpdk, and nothing was changed: \
no DPDK engine answers at $lab/run/dpdk/socket: start tandem-dpdk first, with the same --run-dir"
expect_is "programs after the refusal" "$(programs)" 2
more short 30

tandem_dpdk_start
expect_is "programs while tandem-dpdk stands by" "$(programs)" 2
more short 30

# change TYPE
change()
{
	local began gap lost

	site "$1"
	start probe client "$here/probe_udp.py" "$(addr front 10 4)" 8080
	wait_for 5 "datagrams are answered" grep -q ready "$lab/probe.log"
	sleep 0.3 # of datagrams before the change
	counters >"$lab/counters.before"
	began=$EPOCHREALTIME
	ctl config apply >"$lab/applied" 2>&1 || fail "$(cat "$lab/applied")"
	more held 240
	counters >"$lab/counters.after"
	stop probe
	gap=$(sed -nE "s/^engine: (xdp|dpdk) -> $1, records carried over: [0-9]+, gap ([0-9.]+) ms$/\2/p" "$lab/applied")
	expect "the gap is told" [ -n "$gap" ]
	lost=$(grep -c ^lost "$lab/probe.log" || :)
	printf "%s; datagrams lost, one a millisecond: %s\n" "$(grep ^engine "$lab/applied")" "$lost"
	expect_is "datagrams that another server got" "$(grep ^moved "$lab/probe.log" || :)" ""
	expect "no more is lost than in the gap" awk "BEGIN { exit !($lost <= $gap + 2) }"
	expect_is "the engine" "$(ask .engine.type status)" "$1"
	expect_is "names of interfaces" "$(ask '[.engine.ports[] | "\(.name) \(.device) \(.real)"] | join(", ")' status)" \
		"front front front, back back back"
	expect "packets are traced on front" ctl trace inject front tcp "$(addr front 99 4):4711" "$(addr front 10 4):80" >"$lab/trace"
	expect_is "connections lost" "$(lost held)" ""
	expect_is "requests lost" "$(lost short "$began")" ""
	expect_is "the filter of front's device" "$(on lb bridge fdb show dev "$([ "$1" = xdp ] && echo front || echo front-nic)" |
		grep -c "^$mac")" 1
	expect_is "virtual MAC addresses of front" "$(ask '.engine.ports[0].nic.macs | join(" ")' status)" "$mac"
	expect "counters go on" not_reset "$lab/counters.before" "$lab/counters.after"
	: >"$lab/probe.log"
}

change dpdk
expect_is "programs beside the DPDK engine" "$(programs)" 0

# The way back is barred by somebody else's program: the device is named as it is called meanwhile.
# shellcheck disable=SC2016 # the inner shell's
on lb unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && ip link set dev front-nic xdpdrv obj "$1" sec xdp' \
	sh "$build/bpf/pass.bpf.o"
site xdp
expect_not "a change to an engine that cannot attach is taken" ctl config apply >"$lab/refusal" 2>&1
expect_is "refusal" "$(tail -n 1 "$lab/refusal")" "tandemctl: the engine cannot be changed from dpdk to xdp, and nothing was changed: \
interface front-nic runs another XDP program; detach it first (ip link set dev front-nic xdp off)"
more short 30
on lb ip link set dev front-nic xdp off
change xdp
expect_is "programs of the XDP engine" "$(programs)" 2
change dpdk
expect "connections of the drained server live" [ "$(answered held srv1 "$((${EPOCHREALTIME%.*} - 5))")" -gt 0 ]

# While tandem-dpdk has the interfaces nothing is taken away.
expect_not "an engine that runs is detached" ctl engine detach >"$lab/refusal" 2>&1
expect_is "refusal" "$(tail -n 1 "$lab/refusal")" "tandemctl: tandem-dpdk runs, and has the interfaces; stop it first"
more short 30
stop held
stop short
stop tandemd
stop tandem-dpdk
tandemd --detach >"$lab/detach"
holdings >"$lab/holdings.after"
expect "interfaces are as they were" diff "$lab/holdings.before" "$lab/holdings.after"
