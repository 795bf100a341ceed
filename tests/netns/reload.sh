#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# New configurations under load, by SIGHUP and by `config apply`; bad ones change nothing.
# Clients are as browsers: a request whose connection is lost goes out once more.
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
web 1 2 | config
tandemd_start
serving 4
read -ra urls < <(web_urls)
load short client --again --rate 80 "${urls[@]}"
load long client --again --keep --workers 12 --rate 60 "${urls[@]}"
more short 60

packets()
{
	ask ".services[] | select(.name == \"$1\") | .packets" service list
}

generation()
{
	ask .engine.generation status
}

in_force()
{
	ask '.config, .services, .servers.total' status
}

# A server comes by SIGHUP: it is checked first, and then it serves. No counter starts anew.
before=$(packets web4)
srv1_id=$(ask '.pools[0].servers[0].id' pool list)
web 1 2 3 | config
kill -HUP "${pids[tandemd]}"
serving 6
more short 20 srv3
expect "web4's counter goes on" [ "$(packets web4)" -gt "$before" ]
expect_is "the identifier of srv1" "$(ask '.pools[0].servers[0].id' pool list)" "$srv1_id"

# A server goes by `config apply`, and another file becomes the running one.
web 1 3 | config_as "$lab/other.conf"
expect "apply says which generation it is" holds ".generation > $(generation)" config apply "$lab/other.conf"
since=$EPOCHREALTIME
serving 4
more short 60
expect_is "answers of the server that is gone" "$(answered short srv2 "$since")$(answered long srv2 "$since")" 00
expect "the running file is shown" [ "$(ctl config show)" = "$(cat "$lab/other.conf")" ]
expect "web4's counter goes on" [ "$(packets web4)" -gt "$before" ]

# Bad files change nothing: neither what is in force nor what is shown.
in_force=$(in_force)
running=$(ctl config show)
status=0
web 1 2 | sed 's/8080/80800/; s/weight/wait/; s/forward = "nat"/forwart = "nat"/' | config_as "$lab/bad.conf"
ctl config apply "$lab/bad.conf" >"$lab/apply" 2>&1 || status=$?
expect_is "exit status of apply" "$status" 1
expect "all mistakes are told, with their lines" [ "$(grep -cE 'bad.conf:[0-9]+:.*error' "$lab/apply")" -ge 3 ]
expect "it is said what was meant" grep -q 'did you mean "forward"' "$lab/apply"
cp "$lab/bad.conf" "$lab/tandem.conf"
kill -HUP "${pids[tandemd]}"
wait_for 5 "the log says that nothing was changed" grep -q 'the configuration was not changed' "$lab/tandemd.log"
echo 'interfaces: {' >"$lab/tandem.conf"
kill -HUP "${pids[tandemd]}"
wait_for 5 "the log names the line" grep -qE 'error: .*tandem.conf:[0-9]+: ' "$lab/tandemd.log"
expect_is "what is in force" "$(in_force)" "$in_force"
expect_is "the running configuration" "$(ctl config show)" "$running"
more short 20

# What only a restart can change is refused as a whole.
web 1 2 3 | sed 's/$/ /; $s/$/ limits: { services = 77; };/' | config_as "$lab/limits.conf"
status=0
ctl config apply "$lab/limits.conf" >"$lab/apply" 2>&1 || status=$?
expect_is "exit status of apply" "$status" 6
expect "it is said what to do" grep -q restart "$lab/apply"
expect_is "what is in force" "$(in_force)" "$in_force"

# VIPs come and go with their services.
expect_not "the VIP .20 answers already" on client ping -q -c 1 -W 0.3 "$(addr front 20 4)" >"$lab/ping"
web 1 2 3 | sed "s/vips: {/&"' new: { address = "'"$(addr front 20 4)"'"; interface = "front"; };/' | config
kill -HUP "${pids[tandemd]}"
serving 6
expect "the VIP .20 answers" on client ping -q -c 1 -W 1 "$(addr front 20 4)" >"$lab/ping"
web 1 2 3 | config
kill -HUP "${pids[tandemd]}"
wait_for 5 "the VIP is gone" holds '[.vips[].name] | index("new") == null' vip list
expect_not "the VIP .20 answers still" on client ping -q -c 1 -W 0.3 "$(addr front 20 4)" >"$lab/ping"

more short 40
stop short
stop long
expect_is "requests lost" "$(lost short)$(lost long)" ""
