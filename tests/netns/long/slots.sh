#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 2,000 long-lived connections live through 50 random drains, weight changes, additions and returns of servers under load,
# none of them reset or answered by another server; then through 50 more, with kill -9 of tandemd in between.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      ├─ …
#                                            └─ .18 srv8:8080; srv5 to srv8 come on the way
#
# Environment: CONNECTIONS (2000), CHANGES (50), SEED.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../helper.sh"

connections=${CONNECTIONS:-2000}
n_changes=${CHANGES:-50}
RANDOM=${SEED:-1}
period=10 # seconds in which each connection is used once
servers=4

# Three periods without a packet end a flow: several slots settle in the meantime.
configure()
{
	# shellcheck disable=SC2046 # words
	web $(seq "$servers") | sed "s/forward = \"nat\"/idle = \"$((3 * period))s\"; &/" | config
}

two_arm 8
for n in $(seq 8); do
	serve "srv$n" 8080
done
configure
tandemd_start
serving 8
read -ra urls < <(web_urls)
start held client "$here/hold.py" --connections "$connections" --period "$period" --timeout 10 "${urls[@]}"
load short client --rate 50 "${urls[@]}"
wait_for 60 "all connections are open" answered_enough held "$connections" . 0

wanted_ready()
{
	ask "[.pools[] | select(.name == \"$1\") | .servers[] | select(.wanted == \"ready\" and .weight > 0)] | length" pool list
}

# One change at random, which leaves two servers to each pool: change
change()
{
	local pool=web$((RANDOM % 2 * 2 + 4)) server=srv$((RANDOM % servers + 1)) what=$((RANDOM % 6))

	if [ "$what" -le 2 ] && [ "$(wanted_ready "$pool")" -le 2 ]; then
		what=3
	fi
	case $what in
	0 | 1) ctl server drain "$pool/$server" ;;
	2) ctl server weight "$pool/$server" $((RANDOM % 9)) ;;
	3) ctl server ready "$pool/$server" && ctl server weight "$pool/$server" default ;;
	4) ctl server weight "$pool/$server" $((RANDOM % 9 + 1)) ;;
	5)
		[ "$servers" -ge 8 ] || servers=$((servers + 1))
		configure
		kill -HUP "${pids[tandemd]}"
		;;
	esac >>"$lab/ctl"
}

# Makes so many changes, some at once and some apart, with a command after every fifth: changes COMMAND
changes()
{
	local i

	for i in $(seq "$n_changes"); do
		change
		[ $((i % 5)) -ne 0 ] || "$1"
		sleep "$((RANDOM % 3)).$((RANDOM % 10))"
		expect_is "connections lost at change $i" "$(lost held)" ""
	done
	more_of_all
	expect_is "connections lost in the end" "$(lost held)" ""
	expect_is "requests lost" "$(lost short)" ""
}

# Until every connection has been used once more.
more_of_all()
{
	wait_for $((3 * period)) "every connection is used once more" \
		answered_enough held $((connections + connections / 10)) . "$EPOCHREALTIME"
}

kill_tandemd()
{
	slay tandemd
	sleep "0.$((RANDOM % 10))"
	tandemd_start
}

nothing()
{
	:
}

changes nothing
changes kill_tandemd
