#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Long-lived connections live through drains, weight changes, additions and returns of servers under load, on the server
# that each has; then once more with a tandemd that is killed in between. Slots settle when that is possible.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      ├─ .12 srv2:8080
#                                            ├─ .13 srv3:8080
#                                            ├─ .14 srv4:8080, which comes later
#                                            └─ .15 srv5:8080, still later
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

# A connection is used three times in its idle time-out, so that this passes while the script runs.
servers()
{
	web "$@" | sed 's/forward = "nat"/idle = "3s"; &/' | config
}

two_arm 5
for n in 1 2 3 4 5; do
	serve "srv$n" 8080
done
servers 1 2 3
tandemd_start
serving 6
read -ra urls < <(web_urls)
start held client "$here/hold.py" --connections 60 "${urls[@]}"
load short client --rate 80 "${urls[@]}"
more held 60

# Does to a server of both pools what a command says: of_both VERB SERVER [ARGUMENT]...
of_both()
{
	local pool

	for pool in web4 web6; do
		ctl server "$1" "$pool/$2" "${@:3}" >>"$lab/ctl"
	done
}

tracked()
{
	ask '[.pools[].slots_tracked] | add' pool list
}

# Every connection has been used twice since, and none was lost.
all_live()
{
	more held 120
	expect_is "connections lost after $1" "$(lost held)" ""
	expect_is "requests lost after $1" "$(lost short)" ""
}

nothing()
{
	:
}

# kill -9, and a successor that goes on with the same tables: it would know of no former owners otherwise. By then all slots may
# have settled but for those of held connections.
kill_tandemd()
{
	slay tandemd
	more held 30
	tandemd_start
	wait_for 10 "slots are tracked after the restart too" holds '([.pools[].slots_tracked] | add) > 0' pool list
}

# All kinds of changes, with a command between them, until the server of the last number serves too: changes COMMAND N
changes()
{
	local since last=$2

	of_both drain srv1
	since=$EPOCHREALTIME
	"$1"
	all_live "a drain"
	expect "old connections stay on srv1" [ "$(answered held srv1 "$since")" -gt 0 ]
	expect_is "new connections of srv1" "$(answered short srv1 "$since")" 0

	of_both weight srv2 9
	"$1"
	all_live "a change of weight"

	# shellcheck disable=SC2046 # words
	servers $(seq "$last")
	kill -HUP "${pids[tandemd]}"
	more short 20 "srv$last"
	"$1"
	all_live "an addition"

	of_both ready srv1
	more short 20 srv1
	"$1"
	all_live "a return"

	of_both weight srv2 default
	of_both drain "srv$last"
	"$1"
	all_live "a drain of the server that was added"
}

# Slots that held connections keep in their hands settle last; the others do so after the idle time-out.
settles()
{
	[ "$(tracked)" -lt "$1" ]
}

changes nothing 4
before=$(tracked)
expect "slots are tracked" [ "$before" -gt 0 ]
wait_for 30 "slots settle" settles "$((before / 4))"
all_live "the settling"
of_both ready srv4
changes kill_tandemd 5

# Without connections all of them do.
stop held
stop short
wait_for 60 "all slots settle" settles 1
