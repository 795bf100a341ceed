#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What tandemd does to devices: frames come with their tags, groups of VIPs are joined; and all of it is as it was after a
# detach, also when the daemon died and another configuration came.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only xdp "what tandemd changes of devices; dpdk_host is about tandem-dpdk"

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

expect_is "the offload of front" "$(offload front)" on
before=$(on lb ip maddr)
tandemd_start
serving 2
expect_is "the offload of front with tandemd" "$(offload front)" off
expect_is "what status shows of front" "$(shown front off)" "rx-vlan-hw-parse rx-vlan-stag-hw-parse"
expect_is "what status shows of back" "$(shown back off)" "rx-vlan-stag-hw-parse"
expect_is "groups of front" "$(shown front groups)" 33:33:ff:00:00:10
expect_is "groups of back" "$(shown back groups)" 33:33:ff:00:00:01
expect "front has joined the VIP's group" joined front 10
expect "back has joined the gateway's group" joined back 01

# A VIP that is new, and one that is gone.
web 1 | sed "s/$(addr front 10 6)/$(addr front 20 6)/" | config
ctl config apply >"$lab/apply"
expect "front has joined the new VIP's group" joined front 20
expect_not "front is in the old VIP's group" joined front 10

# A daemon that dies leaves all as it is; the next takes back what it does not want.
slay tandemd
expect_is "the offload of front without tandemd" "$(offload front)" off
expect "front is still in the group" joined front 20
web 1 | config
tandemd_start
expect "front is in the VIP's group again" joined front 10
expect_not "front is in the group of before" joined front 20
expect_is "what status shows of front after the restart" "$(shown front off)" "rx-vlan-hw-parse rx-vlan-stag-hw-parse"

# Detached without a daemon: as it was.
slay tandemd
expect "all is detached" tandemd --detach >"$lab/detach"
expect_is "the offload of front in the end" "$(offload front)" on
expect_is "the offload of back in the end" "$(offload back)" off
expect_is "groups" "$(on lb ip maddr)" "$before"
expect_not "there is a list of changes" [ -e "$lab/run/nic" ]

# And with one.
tandemd_start
expect_is "the offload of front the second time" "$(offload front)" off
ctl engine detach >"$lab/detach"
expect_is "the offload of front after engine detach" "$(offload front)" on
expect_is "groups after engine detach" "$(on lb ip maddr)" "$before"
