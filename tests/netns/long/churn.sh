#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Servers of two services change ten times a second each, under load: drains, weights, additions and removals. Connections that
# are held lose no request and are answered by the server that they began with; new ones are all answered. What is
# removed has no connections (a weight of 0 since it came): those of other servers would break, as they should.
# tests/bench/churn runs this for its figures.
#
#   client .99 ── front ─┬─ .2 lb .2 ── back ─┬─ .11 srv1:8080 ... .16 srv6:8080
#                        │  nat VIP .10, gateway .1
#                        └─ .21 dsr1:80 ... .26 dsr6:80, dsr VIP .20
#
# Environment: CHURN_SECONDS (60), CONNECTIONS of each service (200), SEED; FIGURES: a file that gets a line of JSON for each service.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../helper.sh"

duration=${CHURN_SECONDS:-60}
connections=${CONNECTIONS:-200}
period=2 # seconds in which each connection is used once
timeout=10
RATE=10 # changes of each pool's servers in a second
forwards=(nat dsr)

# server NAME NET NUMBER PORT [WEIGHT]
server()
{
	echo "$1: { address = \"$(addr "$2" "$3")\"; port = $4; weight = ${5:-4}; };"
}

# So many servers in each pool, and with a second word the sixth, which gets no connections: configure N [spare]
configure()
{
	local n nat='' dsr=''

	for n in $(seq "$1"); do
		nat+=$(server "srv$n" back "1$n" 8080)
		dsr+=$(server "dsr$n" front "2$n" 80)
	done
	if [ -n "${2-}" ]; then
		nat+=$(server srv6 back 16 8080 0)
		dsr+=$(server dsr6 front 26 80 0)
	fi
	cat <<-END
		vips: {
			nat: { address = "$(addr front 10)"; interface = "front"; };
			dsr: { address = "$(addr front 20)"; interface = "front"; };
		};
		gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
		health: { web: { type = "http"; path = "/healthz"; interval = "500ms"; timeout = "500ms"; rise = 1; fall = 50; }; };
		pools: {
			nat: { health = "web"; servers: { $nat }; };
			dsr: { health = "web"; servers: { $dsr }; };
		};
		services: {
			nat: { vip = "nat"; port = 80; forward = "nat"; pool = "nat"; idle = "$((10 * period))s"; };
			dsr: { vip = "dsr"; port = 80; forward = "dsr"; pool = "dsr"; idle = "$((10 * period))s"; };
		};
	END
}

two_arm 6
for n in $(seq 6); do
	serve "srv$n" 8080
	host "dsr$n"
	plug "dsr$n" front "2$n"
	silent "dsr$n" front 20
	serve "dsr$n" 80
done
configure 3 | config
files=()
for n in 3 4 5; do
	configure "$n" spare | config_as "$lab/$n-spare.conf"
	configure "$((n + 1 < 5 ? n + 1 : 5))" | config_as "$lab/$n.conf"
	files+=("$lab/$n-spare.conf" "$lab/$n.conf")
done
tandemd_start
serving 6 30

url_of()
{
	case $1 in
	nat) echo "http://$(url front 10)/who" ;;
	dsr) echo "http://$(url front 20)/who" ;;
	esac
}

for forward in "${forwards[@]}"; do
	start "held-$forward" client "$here/hold.py" --connections "$connections" --period "$period" --timeout "$timeout" \
		"$(url_of "$forward")"
	load "new-$forward" client --finish --rate 25 --timeout "$timeout" "$(url_of "$forward")"
done
for forward in "${forwards[@]}"; do
	wait_for 60 "all connections are open" answered_enough "held-$forward" "$connections" . 0
done

generation()
{
	ask .engine.generation status
}

# -- the changes -------------------------------------------------------------------------------------------------

before=$(generation)
"$here/change.py" "$lab/run/api.sock" --pool nat --pool dsr --rate "$RATE" --seconds "$duration" --seed "${SEED:-1}" \
	"${files[@]}" >"$lab/changes.log"
generations=$(($(generation) - before))
ended=$EPOCHREALTIME

# Connections of which nothing is lost so far have been used once more, whichever came last.
used_again()
{
	local alive=$((connections - $(lost "held-$1" | wc -l)))

	answered_enough "held-$1" "$((alive + alive / 10))" . "$ended"
}

for forward in "${forwards[@]}"; do
	wait_for $((2 * period + 2 * timeout)) "every connection is used once more" used_again "$forward"
	stop "new-$forward"
	stop "held-$forward"
done

# -- figures -----------------------------------------------------------------------------------------------------

changes_of()
{
	grep -cE "^[^ ]+ ($1|all) " "$lab/changes.log"
}

# Five of six that are due, or it is no measurement; each was published.
for forward in "${forwards[@]}"; do
	[ "$(changes_of "$forward")" -ge $((duration * RATE * 5 / 6)) ] ||
		fail "too slow: $(changes_of "$forward") changes of $forward in $duration s"
done
expect "all changes were published" [ "$generations" -ge "$(wc -l <"$lab/changes.log")" ]

# How many of a service's requests came to an end, or to one that is as given: outcomes FORWARD [OUTCOME]
outcomes()
{
	{
		requests "held-$1" "${2:-.}" .
		requests "new-$1" "${2:-.}" .
	} | wc -l
}

bad=0
for forward in "${forwards[@]}"; do
	wrong=$(outcomes "$forward" 'was-')
	lost=$(($(outcomes "$forward" '^!') - wrong))
	bad=$((bad + lost + wrong))
	figures=$(jq -cn --arg case "churn-$engine-$forward" --argjson seconds "$duration" --argjson changes "$(changes_of "$forward")" \
		--argjson generations "$generations" --argjson requests "$(outcomes "$forward")" --argjson lost "$lost" \
		--argjson wrong "$wrong" \
		'$ARGS.named + { limit: 0, ok: ($lost + $wrong == 0) }')
	echo "$figures" >>"${FIGURES:-$lab/figures}"
done
cat "${FIGURES:-$lab/figures}"
[ "$bad" -eq 0 ] || fail "$bad requests were lost or answered by another server"
