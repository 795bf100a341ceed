#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The ways by which tandem-dpdk gives the host its frames: vhost-net where this kernel has it (tests/kernel/run netns/dpdk_host_path), and
# reading and writing the tap. On each the host is reached in both families, sends and takes what is large and right, answers beside a
# flood, and has its interfaces back in the end; an engine that was killed is followed by one on the other way.
#
#   client .99 :8080 ── front ── .2 lb :8080 .2 ── back ── .11 srv1:8080
#                       VIP .10              gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/refusal_helper.sh"
. "$(dirname "$0")/host_helper.sh"
only dpdk "the process that tandem-dpdk is"

two_arm 1
for host in client lb srv1; do
	serve "$host" 8080
done
head -c 500000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
plain_engine=${dpdk/dpdk: \{/dpdk: \{ HOST_PATH}
[ "$plain_engine" != "$dpdk" ] || plain_engine=${dpdk/\"dpdk\";/\"dpdk\"; dpdk: \{ HOST_PATH \};}

# Has the engine take a way from its next start on: way auto|tap|vhost
way()
{
	dpdk=${plain_engine/HOST_PATH/host_path = \"$1\";}
	web 1 | sed "s,200ms,1s,g" | config
}

links()
{
	ip -n "$prefix-lb" -br link show | awk '{ print $1, $3 }'
}
before=$(links)$(addresses front)$(addresses back)
expect_as_before()
{
	expect_is "what lb has $1" "$(links)$(addresses front)$(addresses back)" "$before"
}

if [ -c /dev/vhost-net ]; then
	best=vhost
else
	best=tap
	way vhost
	nothing_stays()
	{
		expect_as_before "after a refusal"
	}
	refuses '"engine.dpdk.host_path" is "vhost", but /dev/vhost-net cannot be opened: No such file.*(modprobe vhost_net).*"auto"' \
		"${lb[@]}" "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run"
fi

# The engine says which it is, and nobody has said otherwise: goes_by tap|vhost
goes_by()
{
	expect_is "the interfaces whose host goes by $1" "$(grep -c "the host by $1" "$lab/tandem-dpdk.log")" 2
	expect_is "what status says" "$(ask '[.engine.ports[].host_path] | unique | join(" ")' status)" "$1"
}

# A host has what is large from another, and sends it: exchange HOST URL
exchange()
{
	expect_is "SHA-256 of what $1 has from $2" "$(on "$1" curl -sS -m 120 "$2/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
	expect_is "SHA-256 of what $1 sends to $2" "$(on "$1" curl -sS -m 120 -T "$lab/blob" "$2/")" "$sum"
}

# All that a host is to have, by the way that is in use.
try()
{
	local f

	began=$EPOCHREALTIME
	for f in 4 6; do
		expect "the host is reached" pings client "$(addr front 2 $f)" 20
		expect "the host reaches others" pings lb "$(addr back 11 $f)" 20
		exchange client "http://$(url front 2 $f):8080"
		exchange lb "http://$(url front 99 $f):8080"
		exchange srv1 "http://$(url back 2 $f):8080"
		exchange client "http://$(url front 10 $f)"
	done
	printf 'pings and exchanges took %s s\n' "$(awk "BEGIN { print $EPOCHREALTIME - $began }")"
	flood flood "$(addr front 2 4)" 1400
	expect "the host is reached in a flood" pings client "$(addr front 2 4)" 1
	expect "the host is reached behind a flood" pings srv1 "$(addr back 2 4)" 10
	expect_is "answers beside a flood" "$(on client curl -sS -m 30 "http://$(url front 10 4)/who" | cut -d ' ' -f 1)" srv1
	flood_end flood
	wait_for 10 "the host is reached as before" pings client "$(addr front 2 4)" 20
	expect_is "bad checksums received" "$(bad_checksums client lb srv1)" 0
}

way auto
tandemd_start
serving 2 30
goes_by "$best"
try

# What was killed is gone on with by the other way, and by this one.
for next in tap "$best"; do
	slay tandem-dpdk
	way "$next"
	engine_start
	serving 2 30
	wait_for 30 "requests are answered again" on client curl -sS -m 1 -o /dev/null "$(web_urls | cut -d ' ' -f 1)"
	goes_by "$next"
	try
done
printf 'host_busy %s, link_busy %s\n' "$(verdicts host_busy)" "$(verdicts link_busy)"

# Carriers are the device's, and it sleeps when there is nothing to do.
no_carrier()
{
	ip -n "$prefix-lb" link show "$1" | grep -q NO-CARRIER
}
has_carrier()
{
	! no_carrier "$1"
}
ip -n "$prefix-switch" link set lb.back down
wait_for 5 "the tap loses its carrier" no_carrier back
ip -n "$prefix-switch" link set lb.back up
wait_for 5 "the tap has its carrier again" has_carrier back
stop tandemd
expect_idle "an idle engine sleeps" 2
expect_given_back expect_as_before
