#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tandemd is killed at any moment of a change from one engine to the other: the next one goes on from what it finds, services are
# answered, and connections live. A start that finds another engine than its configuration's changes over as a reload does.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only xdp "both engines, one after the other"
has_dpdk

# site TYPE
site()
{
	dpdk=
	[ "$1" = xdp ] || dpdk=' engine: { type = "dpdk"; };'
	# A machine that is busy is not to have servers found dead.
	web 1 2 | sed -e 's/forward = "nat"/track = "all"; &/' \
		-e 's/interval = "200ms"; timeout = "200ms"/interval = "1s"; timeout = "1s"/' | config
}

# The configuration's engine has packets, and no other: is_settled TYPE
is_settled()
{
	[ "$(ask .engine.type status)" = "$1" ] && [ "$(programs)" = "$([ "$1" = xdp ] && echo 2 || echo 0)" ]
}

two_arm 2
for n in 1 2; do
	serve "srv$n" 8080
done
site xdp
tandemd_start
serving 4
read -ra urls < <(web_urls)
start held client "$here/hold.py" --connections 100 --period 1 "${urls[@]}"
more held 100
site dpdk
start tandem-dpdk lb "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run"
wait_for 10 "tandem-dpdk is up" engine_is_up

# Kills the daemon so many milliseconds after it was told to change, and has another one go on: killed TYPE MILLISECONDS
killed()
{
	site "$1"
	kill -HUP "${pids[tandemd]}"
	sleep "0.$2"
	slay tandemd
	more held 20 # by whatever stands
	tandemd_start
	wait_for 10 "the engine is $1 after a kill in $2 ms" is_settled "$1"
	serving 4
	more held 100
	expect_is "connections lost after a kill in $2 ms on the way to $1" "$(lost held)" ""
}

for ms in 020 100 150 200 260; do
	killed dpdk "$ms"
	killed xdp "$ms"
done

# tandem-dpdk is killed while it stands by, or has what nobody wants any more; a start without it goes on as it was.
stop tandemd
slay tandem-dpdk
site dpdk
start tandemd lb "$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" --state-dir "$lab/state"
wait_for 10 "tandemd is up" tandemd_is_up
expect_is "the engine without tandem-dpdk" "$(ask .engine.type status)" xdp
expect "it is told" grep -q 'cannot be changed from xdp to dpdk' "$lab/tandemd.log"
more held 100
expect_is "connections lost" "$(lost held)" ""
