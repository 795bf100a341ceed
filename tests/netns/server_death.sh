#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A server dies, by SIGKILL and by a dead cable: failures end within fall x interval + 1 s, and it comes back.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      ├─ .12 srv2:8080
#                                            └─ .13 srv3:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

fall=2
two_arm 3
for n in 1 2 3; do
	serve "srv$n" 8080
done
web 1 2 3 | config # an interval of 200 ms, fall = 2
limit=1.4
tandemd_start
serving 6
read -ra urls < <(web_urls)
load short client --workers 30 --timeout 1 --rate 120 "${urls[@]}"
more short 60

# What a COMMAND kills is found dead and gets no more requests; requests that begin later than `limit` are all answered.
dies()
{
	local server=$1 since=$EPOCHREALTIME late

	shift
	"$@"
	serving 4 5
	late=$(awk -v since="$since" -v limit=$limit 'BEGIN { printf "%.6f", since + limit }')
	wait_for 10 "requests begin that late" answered_enough short 60 . "$late"
	expect_is "requests lost later than $limit s" "$(lost short "$late")" ""
	expect_is "answers of $server" "$(answered short "$server" "$late")" 0
	expect "requests were lost before" [ "$(lost short "$since" | wc -l)" -ge 1 ]
	expect "$server is down for a reason" holds "[.pools[].servers[] | select(.name == \"$server\") |
		.state == \"down\" and .reason != null] | all" pool list
}

comes_back()
{
	local since

	serving 6
	since=$EPOCHREALTIME
	more short 20 "$1"
	expect_is "requests lost since $1 is back" "$(lost short "$since")" ""
}

dies srv2 slay srv2
serve srv2 8080
comes_back srv2

dies srv3 ip -n "$prefix-switch" link set srv3.back down
ip -n "$prefix-switch" link set srv3.back up
comes_back srv3

# The last one.
for server in srv1 srv2 srv3; do
	slay $server
done
serving 0
before=$(verdicts no_server)
on client curl -s -m 0.3 "${urls[0]}" && fail "a pool without servers has answered"
expect "no_server counts" [ "$(verdicts no_server)" -gt "$before" ]
expect "the drops of the VIP and of its service show it" holds '[.drops[] | select(.vip == "web4" and .reason == "no_server") |
	(.service != null), (.count > 0)] == [false, true, true, true]' drops
