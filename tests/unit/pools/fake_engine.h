/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine for unit tests: keeps what it was told, in one process-wide place that tests look into. */
#pragma once
#include "controlplane/engine/engine.h"
#include "dataplane/snapshot/snapshot.h"

enum { FAKE_RECORDS = 64, FAKE_SLOTS = 256, FAKE_FLOODS = 16, FAKE_PROXIED = 64 };

/* A slot table that a former process published. */
struct fake_slots {
	uint16_t pool; /* 0: there is none */
	uint16_t owner[FAKE_SLOTS], base[FAKE_SLOTS], since[FAKE_SLOTS];
};

struct fake_engine {
	/* What the next call answers; 0: it succeeds. */
	int open_error, publish_error, detach_error, route_error, past_error;
	bool passes;  /* an XDP engine that has interfaces leaves packets to another */
	bool yielded; /* but its process was killed before that was for good */
	enum engine_state state;
	uint64_t since_ms;
	struct engine_report report;
	const struct engine_change *changes;
	size_t n_changes;
	bool adopt; /* engine_open() finds what a former process left */

	struct l4_record records[FAKE_RECORDS];
	struct l4_flood floods[FAKE_FLOODS];
	uint64_t cookies[FAKE_FLOODS];
	struct l4_proxied proxied[FAKE_PROXIED];
	struct fake_slots past;
	uint64_t places[L4_PLACE_COUNT];

	unsigned open; /* engines, of one type each */
	bool attached;
	/* From one to another: steps as they were taken, "take open:dpdk ..."; the one that fails; which types have interfaces. */
	char steps[512];
	const char *fails;
	void (*on_step)(const char *step); /* called for each */
	bool holds[2];
	struct engine_carried carried;
	unsigned publishes, detaches, routes, neighbours, resets;
	uint64_t generation;
	/* A copy of the last input, without its arrays but for the members. */
	struct snapshot_input input;
	struct snapshot_member members[64];
	struct snapshot_address addresses[16];
	struct engine_counter service[64], server[64]; /* by id */
	uint64_t verdicts[L4_V_COUNT], vip_drops[16][L4_V_COUNT], service_drops[64][L4_V_COUNT];
	struct engine_port ports[4];
	unsigned n_ports;

	/* What the next frame that is traced comes by; it is kept, and comes out as it was. */
	struct l4_way way;
	uint8_t traced[ENGINE_FRAME_MAX];
	size_t traced_len;
	uint32_t traced_ifindex;
	int trace_error;

	/* The capture that runs. */
	bool capturing;
	int capture_error;
	struct l4_capture_filter filter;
	engine_capture_fn *on_leg;
	void *capture_arg;
	uint64_t lost;
	struct l4_line lines[8];
	struct l4_neighbour row; /* the only one */
};

extern struct fake_engine fake;

void fake_reset(void);
