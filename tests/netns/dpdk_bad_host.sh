#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Hosts that tandem-dpdk cannot work on, or tandemd beside it: each time one sentence says what to do, the exit status is 1, and
# interfaces stay whose they were.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/refusal_helper.sh"
only dpdk "the process that tandem-dpdk is"

two_arm 1
serve srv1 8080
web 1 | config
process=("$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run")

links()
{
	ip -n "$prefix-lb" -br link show | awk '{ print $1, $3 }'
}
before=$(links)

nothing_stays()
{
	expect_is "what lb has" "$(links)" "$before"
	expect_not "tandem-dpdk's socket is left" [ -e "$lab/run/dpdk/socket" ]
}

# Interfaces, processors and memory.
refuses 'interface back: there is no device "eth9"' "${lb[@]}" "${process[@]}" -c "$(with 's/back: {}/back: { device = "eth9"; }/')"
refuses 'DPDK does not start' "${lb[@]}" "${process[@]}" -c "$(with 's/back: {}/back: { port = "net_nothing0"; }/')"
expect "DPDK's own words name the driver" grep -q 'net_nothing0' "$lab/said"
refuses '"engine.dpdk.cpus" names CPU 900.*it may use [0-9].*name others' \
	"${lb[@]}" "${process[@]}" -c "$(with 's/type = "dpdk";/& dpdk: { cpus = "900"; };/')"
refuses '"engine.dpdk.memory" is 1048576 MiB.*reserve more: echo' \
	"${lb[@]}" "${process[@]}" -c "$(with 's/type = "dpdk";/& dpdk: { memory = 1048576; huge_pages = "required"; };/')"
refuses 'another engine.*write engine: \{ type = "dpdk"; \};' "${lb[@]}" "${process[@]}" -c "$(with 's/type = "dpdk"/type = "xdp"/')"

# Rights: somebody without any, in a directory that is not his, and in one that is.
chmod 755 "$lab"
cp "${process[0]}" "$lab/tandem-dpdk"
refuses 'root' "${lb[@]}" "${nobody[@]}" "$lab/tandem-dpdk" "${process[@]:1}"
mkdir -m 777 "$lab/open"
refuses 'interface front: only root may take over interfaces' \
	"${lb[@]}" "${nobody[@]}" "$lab/tandem-dpdk" "${process[@]:1}" --run-dir "$lab/open"

# Directories.
touch "$lab/file"
mkdir "$lab/ro" "$lab/blocked"
touch "$lab/blocked/dpdk"
mount -t tmpfs -o ro none "$lab/ro"
refuses "$lab/file.*Not a directory" "${lb[@]}" "${process[@]}" --run-dir "$lab/file"
refuses "$lab/ro/run.*[Rr]ead-only" "${lb[@]}" "${process[@]}" --run-dir "$lab/ro/run"
refuses "cannot make $lab/blocked/dpdk: Not a directory" "${lb[@]}" "${process[@]}" --run-dir "$lab/blocked"

# tandemd without its engine, and beside it where the host has what is ours.
refuses "no DPDK engine answers at $lab/run/dpdk/socket: start tandem-dpdk first" "${lb[@]}" "${plain[@]}"
engine_start
before=$(links)
nothing_stays()
{
	expect_is "what lb has" "$(links)" "$before"
	expect "tandem-dpdk runs on" alive tandem-dpdk
	expect_not "the API's socket is left" [ -e "$lab/run/api.sock" ]
}
taken_vips_refused

# A second one, however it is started; the first one works on.
tandemd_start
serving 2
nothing_stays()
{
	expect_is "what lb has" "$(links)" "$before"
	on client curl -sS -m 3 "http://$(url front 10 4)/who" >"$lab/answer"
}
refuses "another tandem-dpdk \(pid ${pids[tandem-dpdk]}\).*(stop|--run-dir)" "${lb[@]}" "${process[@]}"
refuses "another tandem-dpdk \(pid ${pids[tandem-dpdk]}\).*stop it" "${lb[@]}" "${process[0]}" --give-back --run-dir "$lab/run"
refuses 'interface front: front is a tap itself' "${lb[@]}" "${process[@]}" --run-dir "$lab/run2"
refuses "another tandemd \(pid ${pids[tandemd]}\).*(stop|--run-dir)" "${lb[@]}" "${plain[@]}"
