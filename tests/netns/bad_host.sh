#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Hosts that tandemd cannot work on: each time one sentence says what to do, the exit status is 1, and nothing stays.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/refusal_helper.sh"
only xdp "what tandemd does to interfaces; dpdk_bad_host is about tandem-dpdk"

two_arm 1
serve srv1 8080
web 1 | config

nothing_stays()
{
	expect_is "programs on lb" "$(programs)" "${others:-0}"
	expect_not "a bpffs is mounted" mountpoint -q "$lab/run/bpf"
	expect_not "the API's socket is left" [ -e "$lab/run/api.sock" ]
}

# Interfaces and addresses.
sed 's/back: {}/back: { device = "eth9"; }/' "$lab/tandem.conf" >"$lab/eth9.conf"
refuses 'no device "eth9".*(create|correct)' "${lb[@]}" "${plain[@]}" -c "$lab/eth9.conf"
taken_vips_refused
ip -n "$prefix-lb" addr add "$(addr back 1 4)/32" dev lo
refuses "gateway \"back4\".*in use.*lo" "${lb[@]}" "${plain[@]}"
ip -n "$prefix-lb" addr del "$(addr back 1 4)/32" dev lo
# shellcheck disable=SC2016 # the inner shell's
on lb unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && ip link set back xdpdrv obj "$1" sec xdp' \
	sh "$build/bpf/pass.bpf.o"
others=1
refuses 'interface back runs another XDP program.*(detach|off)' "${lb[@]}" "${plain[@]}"
others=0
ip -n "$prefix-lb" link set back xdp off

# Rights: somebody without any, in a directory that is not his, and in one that is.
chmod 755 "$lab"
cp "$build/apps/tandemd/tandemd" "$lab/tandemd"
refuses 'root' "${lb[@]}" "${nobody[@]}" "$lab/tandemd" "${plain[@]:1}"
mkdir -m 777 "$lab/open" "$lab/open/state"
refuses 'root' "${lb[@]}" "${nobody[@]}" "$lab/tandemd" "${plain[@]:1}" --run-dir "$lab/open" --state-dir "$lab/open/state"
chmod 700 "$lab/tandem.conf"
refuses 'tandem.conf.*[Pp]ermission denied' "${lb[@]}" "${nobody[@]}" "$lab/tandemd" "${plain[@]:1}" \
	--run-dir "$lab/open" --state-dir "$lab/open/state"

# Directories.
touch "$lab/file"
mkdir "$lab/ro" "$lab/blocked"
touch "$lab/blocked/bpf"
mount -t tmpfs -o ro none "$lab/ro"
refuses "$lab/file" "${lb[@]}" "${plain[@]}" --run-dir "$lab/file"
refuses "$lab/file" "${lb[@]}" "${plain[@]}" --state-dir "$lab/file"
refuses "$lab/ro/run.*[Rr]ead-only" "${lb[@]}" "${plain[@]}" --run-dir "$lab/ro/run"
refuses "$lab/ro/state.*[Rr]ead-only" "${lb[@]}" "${plain[@]}" --state-dir "$lab/ro/state"
refuses "$lab/blocked/bpf" "${lb[@]}" "${plain[@]}" --run-dir "$lab/blocked"

# A second one, however it is started; the first one works on.
tandemd_start
serving 2
nothing_stays()
{
	expect_is "programs on lb" "$(programs)" 2
	expect "the first tandemd works on" ctl status >"$lab/ctl"
	on client curl -sS -m 3 "http://$(url front 10 4)/who" >"$lab/answer"
}
pid=${pids[tandemd]}
refuses "another tandemd \(pid $pid\).*(stop|--run-dir)" "${lb[@]}" "${plain[@]}"
refuses "state.*in use by another tandemd.*(stop|--state-dir)" "${lb[@]}" "${plain[@]}" --run-dir "$lab/run2"
refuses "interface front runs another XDP program" "${lb[@]}" "${plain[@]}" --run-dir "$lab/run2" --state-dir "$lab/state2"
expect_not "the second one's bpffs is left" mountpoint -q "$lab/run2/bpf"
