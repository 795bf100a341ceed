#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tandemd is killed before each step of a change from one engine to the other, tandem-dpdk before some of its own, and both at once:
# whichever is left serves, the next one goes on from what it finds, and connections live: old ones, those of a server that is drained and
# those that were opened since, and those that are opened as it happens. Devices are made ready for the engine that serves. A start that finds
# another engine than its configuration's changes over as a reload does.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080, drained, so that its slots are in change
#                VIP .10     gateway .1      ├─ .12 srv2:8080
#                                            └─ .13 srv3:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only xdp "both engines, one after the other"
has_dpdk

mac=00:00:5e:00:01:0a # of the VIP of IPv4

# site TYPE
site()
{
	dpdk=
	[ "$1" = xdp ] || dpdk=' engine: { type = "dpdk"; };'
	# A machine that is busy is not to have servers found dead.
	web 1 2 3 | sed -E "s/(web4: .*interface = \"front\";)/\1 mac = \"$mac\";/" | sed -e 's/forward = "nat"/idle = "300s"; &/' \
		-e 's/interval = "200ms"; timeout = "200ms"/interval = "1s"; timeout = "1s"/' | config
}

# The configuration's engine has packets, and no other: is_settled TYPE
is_settled()
{
	[ "$(ask .engine.type status)" = "$1" ] && [ "$(programs)" = "$([ "$1" = xdp ] && echo 2 || echo 0)" ] &&
		[ "$(taps)" = "$([ "$1" = xdp ] && echo 0 || echo 2)" ]
}

taps()
{
	on lb ip -o link show type tun | wc -l
}

# What was changed about devices of the XDP engine: as status shows it, and as they are.
devices()
{
	local net

	ask '.engine.ports[] | .name, (.nic | map_values(if type == "array" then sort | join(" ") else . end) | tojson)' status
	for net in front back; do
		on lb ethtool -k "$net" | grep -v fixed | sort
		on lb bridge fdb show dev "$net" | sort
		on lb ip maddr show dev "$net" | sort
	done
}

# They are as they were: expect_devices WHEN
expect_devices()
{
	devices >"$lab/devices.now"
	expect "devices are ready for the XDP engine $1" diff "$lab/devices" "$lab/devices.now"
}

# tests/netns/dies.c: dying DAEMON
dying()
{
	start "$1" lb env "DIES_AT=$lab/$1.dies" "$build/tests/netns/$1-dies" -c "$lab/tandem.conf" --run-dir "$lab/run" "${@:2}"
	disown "${pids[$1]}" # the shell need not tell of its end
}

tandemd_start()
{
	dying tandemd --state-dir "$lab/state"
	wait_for 10 "tandemd is up" tandemd_is_up
}

tandem_dpdk_start()
{
	: >"$lab/tandem-dpdk.log"
	dying tandem-dpdk
	wait_for 10 "tandem-dpdk is up" engine_is_up
}

# It was killed, whatever the shell may have to say: dead DAEMON
dead()
{
	! alive "$1"
}

# Sends a signal and waits for the end, of which the shell takes no notice: ends DAEMON SIGNAL
ends()
{
	kill "-$2" "${pids[$1]}"
	wait_for 10 "$1 has ended" dead "$1"
	slay "$1"
}

# Has the daemon die at a step: dies DAEMON STEP
dies()
{
	wait_for 20 "$1 is killed before step $2" dead "$1"
	slay "$1"
	: >"$lab/$1.dies"
}

# Connections that are opened one after the other as it happens.
fresh()
{
	start fresh client "$here/hold.py" --connections 300 --period 1.5 --timeout 15 "${urls[@]}"
	wait_for 5 "connections are opened" grep -q ' ok ' "$lab/fresh.log"
}

# All live: no_loss WORDS
no_loss()
{
	more held 100
	stop fresh
	expect_is "connections lost $1" "$(lost held)$(lost since)$(lost fresh)" ""
	expect_is "connections that moved $1" "$(grep -h -e was- "$lab/held.log" "$lab/since.log" "$lab/fresh.log" || :)" ""
	: >"$lab/fresh.log"
}

# tandemd is killed before a step of its way, and another one goes on: killed TYPE STEP
killed()
{
	printf '%s 1\n' "$2" >"$lab/tandemd.dies"
	site "$1"
	fresh
	kill -HUP "${pids[tandemd]}"
	dies tandemd "$2"
	more held 50 # by whatever stands
	tandemd_start
	wait_for 10 "the engine is $1 after a kill before $2" is_settled "$1"
	serving 4
	no_loss "after a kill before $2 on the way to $1"
}

two_arm 3
for n in 1 2 3; do
	serve "srv$n" 8080
done
site xdp
tandemd_start
serving 6
read -ra urls < <(web_urls)
start held client "$here/hold.py" --connections 100 --period 1 --timeout 15 "${urls[@]}"
more held 100
for pool in web4 web6; do
	ctl server drain $pool/srv1 >>"$lab/ctl"
done
serving 4
devices >"$lab/devices"
start since client "$here/hold.py" --connections 100 --period 1 --timeout 15 "${urls[@]}"
more since 100
site dpdk
tandem_dpdk_start

for step in ${STEPS:-take open furnish publish pause yield carry cede resume rest detach}; do
	killed dpdk "$step"
	case $step in
	take) killed xdp give ;;
	detach) killed xdp follow ;;
	*) killed xdp "$step" ;;
	esac
done

# tandem-dpdk is killed when it has taken interfaces, and is about to be furnished.
fresh
site dpdk
printf 'furnish 1 %s\n' "${pids[tandem-dpdk]}" >"$lab/tandemd.dies"
expect_not "a change to an engine that is dead is done" ctl config apply >"$lab/refusal" 2>&1
dies tandem-dpdk furnish
: >"$lab/tandemd.dies"
expect "the XDP engine has its devices back after a kill before furnish" is_settled xdp
expect_devices "after a kill before furnish"
no_loss "after tandem-dpdk was killed before furnish"
tandem_dpdk_start

# tandem-dpdk is killed at a step of taking interfaces, or of giving them back: the XDP engine serves, as if that had not begun, or was done.
for step in ${DPDK_STEPS:-1 5 12 20 30}; do
	site dpdk
	fresh
	printf '* %s\n' "$step" >"$lab/tandem-dpdk.dies"
	expect_not "a change to an engine that dies is done" ctl config apply >"$lab/refusal" 2>&1
	dies tandem-dpdk "$step"
	expect "the XDP engine has its devices back after step $step" is_settled xdp
	expect_devices "after step $step of taking"
	no_loss "after tandem-dpdk was killed before step $step of taking"
	tandem_dpdk_start

	ctl config apply >"$lab/applied" 2>&1 || fail "$(tail -n 1 "$lab/applied")"
	site xdp
	fresh
	printf '* %s\n' "$step" >"$lab/tandem-dpdk.dies"
	ctl config apply >"$lab/applied" 2>&1 || fail "$(tail -n 1 "$lab/applied")"
	dies tandem-dpdk "$step"
	expect "the XDP engine has its devices after step $step" is_settled xdp
	expect_devices "after step $step of giving"
	no_loss "after tandem-dpdk was killed before step $step of giving"
	site dpdk
	tandem_dpdk_start
done

# Both are killed when packets have changed over, and programs that pass them still stand before the devices.
printf 'detach 1\n' >"$lab/tandemd.dies"
fresh
kill -HUP "${pids[tandemd]}"
dies tandemd detach
ends tandem-dpdk KILL
tandem_dpdk_start
tandemd_start
wait_for 10 "the engine is dpdk after both were killed" is_settled dpdk
no_loss "after both were killed"

# Both are killed when programs pass packets, and not for good yet.
both_die()
{
	site dpdk
	fresh
	printf 'cede 1 %s %s\n' "${pids[tandem-dpdk]}" "${pids[tandemd]}" >"$lab/tandemd.dies"
	kill -HUP "${pids[tandemd]}"
	dies tandemd cede
	dies tandem-dpdk cede
}

# They take packets again, whichever process is started first.
site xdp
ctl config apply >"$lab/applied" 2>&1 || fail "$(tail -n 1 "$lab/applied")"
both_die
tandem_dpdk_start
expect "tandem-dpdk stands by after both were killed before cede" grep -q 'this one stands by' "$lab/tandem-dpdk.log"
more held 50
tandemd_start
wait_for 10 "the engine is dpdk after both were killed before cede" is_settled dpdk
no_loss "after both were killed before cede, and tandem-dpdk was started first"
site xdp
ctl config apply >"$lab/applied" 2>&1 || fail "$(tail -n 1 "$lab/applied")"
both_die
tandemd_start
expect "the XDP engine has its devices back after both were killed before cede" is_settled xdp
expect_devices "after both were killed before cede"
no_loss "after both were killed before cede, and tandemd was started first"
tandem_dpdk_start

# tandem-dpdk is killed while it stands by; a start without it goes on as it was.
site xdp
ctl config apply >"$lab/applied" 2>&1 || fail "$(tail -n 1 "$lab/applied")"
ends tandemd TERM
ends tandem-dpdk KILL
site dpdk
fresh
tandemd_start
expect_is "the engine without tandem-dpdk" "$(ask .engine.type status)" xdp
expect "it is told" grep -q 'cannot be changed from xdp to dpdk' "$lab/tandemd.log"
no_loss "by a start without tandem-dpdk"
