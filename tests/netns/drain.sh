#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Drain, maint, weight and ready under load. Clients are as browsers: a request whose connection is lost goes out once more.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      ├─ .12 srv2:8080
#                                            └─ .13 srv3:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 3
for n in 1 2 3; do
	serve "srv$n" 8080
done
web 1 2 3 | config
tandemd_start
serving 6
read -ra urls < <(web_urls)
load short client --again --rate 200 "${urls[@]}"
# So many that srv1 is bound to get some of them.
load long client --again --keep --workers 60 --rate 120 "${urls[@]}"
more short 60 srv1
more long 12 srv1

# Takes srv1 out by a command and expects that connections which begin afterwards never reach it, and that those
# it has stay or go: out stay|go COMMAND...
out()
{
	local pool since old=$1

	shift

	for pool in web4 web6; do
		ctl "${@:1:2}" "$pool/srv1" "${@:3}" --why "a test" >>"$lab/ctl"
	done
	since=$EPOCHREALTIME
	more short 60
	expect_is "answers of srv1 after $*" "$(answered short srv1 "$since")" 0
	if [ "$old" = stay ]; then
		expect "old connections stay on srv1 after $*" [ "$(answered long srv1 "$since")" -gt 0 ]
	else
		expect_is "answers of srv1 to old connections after $*" "$(answered long srv1 "$since")" 0
	fi
	expect "srv1 serves no more" holds '[.pools[].servers[] | select(.name == "srv1") | .serving] | any | not' pool list
}

back()
{
	local pool

	for pool in web4 web6; do
		ctl "${@:1:2}" "$pool/srv1" "${@:3}" >>"$lab/ctl"
	done
	more short 30 srv1
}

out stay server drain
expect "status shows who drained what, and why" holds '[.changes[] | [.server, .wanted, .who, .why]] ==
	[["web4/srv1", "drain", "root", "a test"], ["web6/srv1", "drain", "root", "a test"]]' status
expect "a drained server is still checked" holds \
	'[.pools[].servers[] | select(.name == "srv1") | .state] == ["up", "up"]' pool list
back server ready
out stay server weight 0
back server weight default
out go server maint
back server ready
expect "status shows no changes" holds '.changes == []' status

# A weight of half the others' gets about half of what they get: 2 of 10, and not 3.3.
for pool in web4 web6; do
	for n in 2 3; do
		ctl server weight "$pool/srv$n" 4 >>"$lab/ctl"
	done
	ctl server weight "$pool/srv1" 2 >>"$lab/ctl"
done
since=$EPOCHREALTIME
more short 600
share=$((100 * $(answered short srv1 "$since") / $(answered short . "$since")))
expect "srv1's share, $share %, is near 20 %" test "$share" -ge 12 -a "$share" -le 28

stop short
stop long
expect_is "requests lost" "$(lost short)$(lost long)" ""
