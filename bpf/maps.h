/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The XDP engine's maps. All but `trace` are pinned and outlive the program and the daemon; their sizes are
 * set by the loader from the configuration's limits. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "dataplane/l4/capture.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/limit.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/tables.h"
#include "dataplane/l4/traced.h"
#include "dataplane/l4/verdict.h"

/* One generation's image. Every generation has a map of its own; all have one size, so that look-ups are
 * compiled into the program. */
struct image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(uint32_t));
	__uint(value_size, sizeof(struct l4_line));
};

/* The published generation. A packet reads it once and reaches everything through it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__array(values, struct image_map);
} generation SEC(".maps");

/* Rings in chunks; chunks that a published generation names are never written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_chunk);
} rings SEC(".maps");

/* Lists of sources; the half that a published generation names is never written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_line);
} guard SEC(".maps");

struct route4_key {
	uint32_t plen;
	uint32_t address[1];
};

struct route6_key {
	uint32_t plen;
	uint32_t address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct route4_key);
	__type(value, struct l4_route);
} routes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct route6_key);
	__type(value, struct l4_route);
} routes6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_neighbour);
} neighbours SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct l4_neighbour_key);
	__type(value, uint32_t);
} neighbour_rows SEC(".maps");

/* Interfaces that packets may leave by, keyed by ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 64);
	__type(key, uint32_t);
	__type(value, uint32_t);
} tx_ports SEC(".maps");

/* By stable id; row 0 is nobody's. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_counter);
} service_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_counter);
} server_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, L4_V_COUNT);
	__type(key, uint32_t);
	__type(value, uint64_t);
} verdict_counters SEC(".maps");

/* Of one address of ours, or of one service; by enum l4_verdict, drops only, and of services SYN_COOKIE too. */
struct drops {
	uint64_t counts[L4_V_COUNT];
};

/* By stable id; row 0 is nobody's. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct drops);
} vip_drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct drops);
} service_drops SEC(".maps");

/* Records of flows whose slot is tracked, 2^record_bits buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_record_bucket);
} records SEC(".maps");

/* What sources have sent of late, 2^source_bits buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_source_bucket);
} sources SEC(".maps");

/* Datagrams of which fragments have come, 2^datagram_bits buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_datagram_bucket);
} datagrams SEC(".maps");

/* Floods of SYNs, by the service's stable id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_flood);
} floods SEC(".maps");

/* Connections that began with a SYN cookie, 2^proxied_bits buckets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_proxied_bucket);
} proxied SEC(".maps");

/* Where new records were put, by enum l4_record_place. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, L4_PLACE_COUNT);
	__type(key, uint32_t);
	__type(value, uint64_t);
} record_counters SEC(".maps");

/* How often this CPU answered packets that it refused. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_limit);
} limits SEC(".maps");

/* Of this CPU's packet, from one function to the next. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_note);
} notes SEC(".maps");

/* Coarse time while `test_time_on`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} test_time SEC(".maps");

/* struct l4_want records for the control plane. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} wants SEC(".maps");

/* When a neighbour was last asked for, by a hash of its address. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, uint32_t);
	__type(value, uint64_t);
} asked SEC(".maps");

/* What the last packet came to; written when `reports` says so, and then packets come one after the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_trace);
} trace SEC(".maps");

/* What is tandem_trace's alone: packets are traced one after the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_traced);
} traced SEC(".maps");

/* Of tandem_capture, which has them to itself: what it looks for, this CPU's packet in hand, the way to the control
 * plane, and how many records found no room there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_capture_filter);
} capture_filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct l4_captured);
} captured SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} captures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, uint64_t);
} captures_lost SEC(".maps");
