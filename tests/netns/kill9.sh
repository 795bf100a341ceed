#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 tandemd under load, several times: no connection breaks, no counter is reset, what the operator wanted stays.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      ├─ .12 srv2:8080 (weight 3)
#                                            └─ .13 srv3:8080 (drained)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 3
for n in 1 2 3; do
	serve "srv$n" 8080
done
web 1 2 3 | config
tandemd_start
serving 6
for pool in web4 web6; do
	ctl server drain $pool/srv3 --why "being repaired" >>"$lab/ctl"
	ctl server weight $pool/srv2 3 >>"$lab/ctl"
done
serving 4
read -ra urls < <(web_urls)
load short client --rate 80 "${urls[@]}"
load long client --keep --workers 12 --rate 60 "${urls[@]}"
more long 60

# Counters and what is wanted, as the API shows them.
counters()
{
	ask '[.services[] | .packets, .bytes] | map(tostring) | join(" ")' service list
	ask '[.pools[].servers[] | .packets, .bytes] | map(tostring) | join(" ")' pool list
}

identifiers()
{
	ask '[.services[].id] | tostring' service list
	ask '[.pools[].servers[].id] | tostring' pool list
}

wanted()
{
	ask '.changes | map([.server, .wanted, .weight, .who, .why, .when]) | tostring' status
}

# No number of the first file is above that in its place of the second.
not_reset()
{
	paste -d ' ' <(tr ' ' '\n' <"$1") <(tr ' ' '\n' <"$2") | awk '$1 > $2 { bad = 1 } END { exit bad }'
}

is_adopted()
{
	holds '.engine.adopted and .engine.generation >= 1' status
}

wanted >"$lab/wanted.before"
ids=$(identifiers)
for _ in 1 2 3; do
	counters >"$lab/counters.before"
	slay tandemd
	more short 40
	more long 30
	expect_not "tandemctl finds a daemon" ctl status 2>>"$lab/ctl"
	tandemd_start
	expect "the engine was adopted" is_adopted
	serving 4
	counters >"$lab/counters.after"
	expect "counters go on" not_reset "$lab/counters.before" "$lab/counters.after"
	expect_is "what is wanted" "$(wanted)" "$(cat "$lab/wanted.before")"
	expect_is "identifiers" "$(identifiers)" "$ids"
	more short 20
done
since=$EPOCHREALTIME
more short 60
expect_is "answers of the drained server" "$(answered short srv3 "$since")" 0

# It may be killed while it starts, too.
slay tandemd
for ms in 000 005 010 020 040 080; do
	start tandemd lb "$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" --state-dir "$lab/state"
	sleep "0.$ms"
	slay tandemd
done
more short 40
tandemd_start
serving 4
counters >"$lab/counters.after"
expect "counters go on" not_reset "$lab/counters.before" "$lab/counters.after"
more short 40
more long 30
expect_is "requests lost" "$(lost short)$(lost long)" ""

# A server that dies meanwhile is found dead by the next.
slay tandemd
slay srv1
tandemd_start
serving 2 20 # fifty checks take ten seconds
since=$EPOCHREALTIME
more short 40 srv2
expect_is "requests lost since the server is known to be down" "$(lost short "$since")" ""
