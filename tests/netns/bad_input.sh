#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What operators and disks get wrong: configurations, command lines, a damaged state file, tables that are too small.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 8080
serve srv2 8080

# Runs a COMMAND, whose words go to $lab/said, and expects its exit status: gives STATUS COMMAND...
gives()
{
	local wanted=$1 status=0

	shift
	"$@" >"$lab/said" 2>&1 || status=$?
	{ echo "\$ $*" && cat "$lab/said"; } >>"$lab/all.log"
	expect_is "exit status of: $*" "$status" "$wanted"
}

says()
{
	local pattern

	for pattern in "$@"; do
		expect "\"$(head -c 400 "$lab/said")\" says $pattern" grep -qE -- "$pattern" "$lab/said"
	done
}

nothing_stays()
{
	expect_is "programs on lb" "$(programs)" 0
	expect_not "a bpffs is mounted" mountpoint -q "$lab/run/bpf"
}

# tandemd, which is to refuse something; its engine runs by then, where that is a process of its own.
starts()
{
	engine_start
	timeout 10 nsenter --net="/run/netns/$prefix-lb" "$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" \
		--state-dir "$lab/state"
}

# All of it ends.
end()
{
	stop tandemd
	detach
	cat "$lab/detach" >>"$lab/all.log"
}

# Configurations: all errors at once, each with file, line, the line and a caret; the same from either program.
web 1 2 | config
gives 0 tandemd --check
gives 0 ctl config check "$lab/tandem.conf"
web 1 2 | sed 's/8080/80800/; s/interval = "200ms"/intervall = "200ms"/; s/pool = "web4"/pool = "wep4"/' | config
for check in "tandemd --check" "ctl config check $lab/tandem.conf"; do
	# shellcheck disable=SC2086 # words
	gives 1 $check
	says 'tandem.conf:[0-9]+:[0-9]+: error: .*"?port"?.*80800' 'did you mean "interval"' 'did you mean "web4"' '^ *\^'
done
gives 1 tandemd
says 'did you mean "web4"' 'tandem.conf has 4 errors'
nothing_stays
echo 'vips: { web: { address = ; }; };' | config
gives 1 tandemd --check
says 'tandem.conf:2:.*syntax error'
gives 1 tandemd --check -c "$lab/absent.conf"
says 'absent.conf.*No such file'
gives 5 ctl config check "$lab/absent.conf"
says 'absent.conf.*No such file'

# Command lines.
gives 2 tandemd --frobnicate
gives 2 tandemd surplus
says surplus --help
gives 2 tandemd --log-level loud
says loud 'error, warn, info or debug'
gives 2 ctl server drian web/srv1
says 'did you mean "drain"'
gives 2 ctl server drain
gives 2 ctl
gives 3 ctl status
says api.sock 'tandemd'
for program in tandemd ctl; do
	gives 0 $program --help
	says '^[Uu]sage'
done

# Tables that are too small, by the file itself and by what the host adds to it.
{
	web 1 2
	echo 'limits: { servers = 3; };'
} | config
gives 1 tandemd --check
says 'tandem.conf:[0-9]+:.*"limits.servers" is 3, but .* need 4' 'write servers = 4'
{
	web 1 2
	echo 'limits: { neighbours = 2; };'
} | config
gives 1 starts
says 'table.*neighbours is full; raise limits.neighbours'
nothing_stays
[ "$engine" = xdp ] || stop tandem-dpdk

# A full table of routes is told, in the log and by status, and packets that have a route flow.
{
	web 1 2
	echo 'limits: { routes = 12; };'
} | config
tandemd_start
for n in $(seq 40); do
	echo "route add 10.99.$n.0/24 via $(addr back 12 4)"
done | ip -n "$prefix-lb" -batch -
serving 4
wait_for 5 "status warns" holds '.warnings | any(test("limits.routes"))' status
expect "the log has an error" grep -q 'error: .*routes.*full; raise limits.routes' "$lab/tandemd.log"
expect "the VIP answers" on client curl -sS -m 3 -o "$lab/answer" "http://$(url front 10 4)/who"

# What a client of the API may ask for in vain.
gives 5 ctl server drain web4/srv3
says srv3 'did you mean'
gives 5 ctl vip show web
gives 2 ctl server weight web4/srv1 -3
gives 2 ctl server weight web4/srv1 1001
gives 0 ctl server drain web4/srv1 --why "a test"
end

# A damaged file of the state is named and left as it is; the operator decides.
web 1 2 | config
for case in 'state.json s/^.*$//' 'state.json s/[}]$//' 'state.json s/"version": *[0-9]*/"version": 99/' \
	'wanted.json s/[}]$//' 'wanted.json s/"drain"/"drained"/' 'seen.json s/"up"/"upp"/' 'seen.json s/"version"/"ver"/'; do
	read -r file damage <<<"$case"
	cp "$lab/state/$file" "$lab/good"
	sed -E "$damage" "$lab/good" >"$lab/state/$file"
	cp "$lab/state/$file" "$lab/damaged"
	gives 1 starts
	says "$lab/state/$file" 'restore|remove|move'
	expect "the file is left alone" cmp "$lab/damaged" "$lab/state/$file"
	nothing_stays
	cp "$lab/good" "$lab/state/$file"
done
tandemd_start
serving 3
end

# Without its numbers the state is a new one; without what was wanted it is the same but for that.
rm "$lab/state/state.json"
tandemd_start
serving 4
gives 0 ctl server drain web4/srv1
serving 3
ids=$(ask '[.pools[].servers[].id] | tostring' pool list)
stop tandemd
rm "$lab/state/wanted.json"
tandemd_start
serving 4
expect_is "identifiers" "$(ask '[.pools[].servers[].id] | tostring' pool list)" "$ids"
