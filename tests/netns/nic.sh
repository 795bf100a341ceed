#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is done to devices: frames come with their tags, groups of VIPs are joined (all groups with the DPDK engine); status shows it, and
# all of it is as it was after a detach, also when the daemon died and another configuration came.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
nic= # behind the names of devices while an engine runs
[ "$engine" = xdp ] || nic=-nic

two_arm 1
serve srv1 8080
on lb ethtool -K back rxvlan off >/dev/null # as somebody wants it
web 1 | config

offload()
{
	on lb ethtool -k "$1" | awk '$1 == "rx-vlan-offload:" { print $2 }'
}

joined()
{
	on lb ip maddr show dev "$1" | grep -q "link *33:33:ff:00:00:$2"
}

shown()
{
	ask ".engine.ports[] | select(.name == \"$1\") | .nic.$2 | join(\" \")" status
}

# Frames to the groups of a VIP, or gateway, are taken, and those to another's no more: groups SENTENCE NET LAST [FORMER]
groups()
{
	if [ "$engine" = dpdk ]; then
		expect "$2 takes all groups $1" grep -q ALLMULTI < <(on lb ip -o link show "$2-nic")
		expect "status says so $1" holds ".engine.ports[] | select(.name == \"$2\") | .nic | .all_groups and .groups == []" status
		return 0
	fi
	expect "$2 has joined the group $1" joined "$2" "$3"
	expect_is "groups that status shows of $2 $1" "$(shown "$2" groups)" "33:33:ff:00:00:$3"
	[ -z "${4-}" ] || expect_not "$2 is in the former group $1" joined "$2" "$4"
}

# What tandemd and the engine have made of both devices, and status shows.
made()
{
	expect_is "the offload of front $1" "$(offload front$nic)" off
	expect_is "what status shows of front $1" "$(shown front off)" "rx-vlan-hw-parse rx-vlan-stag-hw-parse"
	expect_is "what status shows of back $1" "$(shown back off)" "rx-vlan-stag-hw-parse"
	expect_is "virtual MAC addresses of front $1" "$(shown front macs)" ""
	expect "front is not promiscuous $1" holds '.engine.ports | all(.nic.promiscuous | not)' status
}

# Groups of all devices; the order is of no account.
memberships()
{
	on lb ip maddr | awk '/^[0-9]/ { device = $2 } { print device, $0 }' | sort
}

expect_is "the offload of front" "$(offload front)" on
before=$(memberships)
tandemd_start
serving 2
made "with tandemd"
groups "of the VIP" front 10
groups "of the gateway" back 01

# A VIP that is new, and one that is gone.
web 1 | sed "s/$(addr front 10 6)/$(addr front 20 6)/" | config
ctl config apply >"$lab/apply"
groups "of the new VIP" front 20 10

# A daemon that dies leaves all as it is; the next takes back what it does not want.
slay tandemd
expect_is "the offload of front without tandemd" "$(offload front$nic)" off
[ "$engine" = dpdk ] || expect "front is still in the group" joined front 20
web 1 | config
tandemd_start
groups "of the VIP again" front 10 20
made "after the restart"

# Detached without a daemon: as it was.
slay tandemd
detach
expect_is "the offload of front in the end" "$(offload front)" on
expect_is "the offload of back in the end" "$(offload back)" off
expect_is "groups" "$(memberships)" "$before"
expect_not "there is a list of changes" [ -e "$lab/run${nic:+/dpdk}/nic" ]
[ "$engine" = xdp ] || exit 0

# And with one.
tandemd_start
expect_is "the offload of front the second time" "$(offload front)" off
ctl engine detach >"$lab/detach"
expect_is "the offload of front after engine detach" "$(offload front)" on
expect_is "groups after engine detach" "$(memberships)" "$before"
