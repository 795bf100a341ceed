#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Health checks against a real server: what each kind sees, and says, in every state that the server may be in.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 1
serve srv1 8080
http='type = "http"; path = "/healthz"; port = 8080; interval = "100ms"; timeout = "100ms"; rise = 2; fall = 2;'

# A pool of srv1 with a check: checked NAME [FAMILY]
checked()
{
	echo "$1: { health = \"$1\"; servers: { srv1: { address = \"$(addr back 11 "${2:-4}")\"; port = 8080; }; }; };"
}

config <<-END
	vips: { web: { address = "$(addr front 10)"; interface = "front"; }; };
	gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
	health: {
		tcp: { type = "tcp"; interval = "100ms"; timeout = "100ms"; rise = 2; fall = 2; };
		status: { $http };
		teapot: { $http status = "200-418"; };
		body: { $http body = "all is well"; };
		host: { $http host = "www.example.com"; body = "for www.example.com"; };
		missing: { type = "http"; path = "/healthz"; port = 8081; interval = "100ms"; timeout = "100ms"; };
		status6: { $http };
	};
	pools: {
		$(checked tcp)
		$(checked status)
		$(checked teapot)
		$(checked body)
		$(checked host)
		$(checked missing)
		$(checked status6 6)
		unchecked: { servers: { srv1: { address = "$(addr back 11)"; }; }; };
	};
	services: { web: { vip = "web"; port = 80; forward = "nat"; pool = "status"; }; };
END

# Checks that find srv1 up, in the order of the configuration.
up()
{
	ask '[.health[] | select(.state == "up") | .check] | join(" ")' health list
}

finds()
{
	[ "$(up)" = "$1" ]
}

# What a check says of the last probe: says CHECK PATTERN
says()
{
	ask ".health[] | select(.check == \"$1\") | .reason" health list | grep -qiE "$2"
}

echo '200 all is well for {host}' >"$lab/srv1.health"
tandemd_start
wait_for 5 "all but one find srv1 up" finds "tcp status teapot body host status6"
expect "a port where nobody listens refuses" says missing refused
expect "a server without a check is up" holds '.servers[0].state == "up" and .servers[0].serving' pool show unchecked
expect "the service answers" on client curl -sS -m 3 -o "$lab/answer" "http://$(url front 10)/who"
expect "targets are named" holds '[.health[] | select(.check == "status" or .check == "status6") | .target] ==
	["'"$(url back 11 4)"':8080", "'"$(url back 11 6)"':8080"]' health list
expect "probes are counted and timed" holds \
	'[.health[] | .probes >= 2 and .last_duration_us != null and .since != null and .last_probe != null] | all' health list
expect "answers to probes are the host's own" [ "$(verdicts own)" -ge 1 ]

echo '503 all is well for {host}' >"$lab/srv1.health"
wait_for 5 "the status is looked at" finds tcp
expect "the status is named" says status 503
expect_is "a service without servers" "$(ask .serving service show web)" 0

echo '418 all is well for {host}' >"$lab/srv1.health"
wait_for 5 "the configured status counts" finds "tcp teapot"

echo '200 all is lost for {host}' >"$lab/srv1.health"
wait_for 5 "the body is looked at" finds "tcp status teapot host status6"
expect "the body is named" says body body

# One that hangs still takes connections.
kill -STOP "${pids[srv1]}"
wait_for 5 "silence is found" finds tcp
expect "time-outs are named" says status 'time|no answer'
kill -CONT "${pids[srv1]}"
wait_for 5 "it is found back" finds "tcp status teapot host status6"

# One whose cable is out, and one that is dead.
ip -n "$prefix-switch" link set srv1.back down
wait_for 5 "a dead cable is found" finds ""
ip -n "$prefix-switch" link set srv1.back up
wait_for 15 "it is found back" finds "tcp status teapot host status6"
slay srv1
wait_for 5 "a dead server is found" finds ""
expect "refusals are named" says tcp refused
serve srv1 8080
wait_for 5 "it is found back" finds "tcp status teapot host status6"
expect "failures were counted" holds '[.health[] | .failures >= 2 and .probes > .failures] | .[0:5] | all' health list

# The log told each change, with the reason.
expect "the log has told of 503" grep -qE 'status/srv1 is down.*503' "$lab/tandemd.log"
