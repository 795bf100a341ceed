/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine's worker with one port, on a thread of its own as tandem-dpdk has it, and the other end of that port. */
#pragma once
#include <semaphore.h>
#include "dataplane/dpdk/loop.h"
#include "dataplane/dpdk/port.h"
#include "tests/bench/xdp/site.h"
#include "tests/packets/rig.h"
#include "tests/packets/wire.h"

/* What the port is, and so how an idle worker sleeps. */
enum wake_port {
	WAKE_RING,   /* rings in memory: nothing tells of frames, it naps */
	WAKE_SOCKET, /* net_af_packet on a veth: it waits for its socket */
	WAKE_INTERRUPT, /* net_virtio_user on net_vhost, both of this process: it waits for an interrupt */
};

struct wake_bed {
	struct site_world *site;
	struct rig rig;
	enum wake_port kind;
	struct wire wire;
	struct port port;
	int far;	   /* a packet socket at the veth's other end */
	uint16_t far_port; /* net_vhost's */
	char path[96];	   /* of their socket */
	struct loop loop;
	pthread_t thread;
	sem_t ready; /* it has begun */
	bool runs;
	int stat; /* schedstat of the worker's thread */
	/* By the worker, of the last frame: CLOCK_MONOTONIC when it got that, 0 for not yet, and how long its thread had waited for a
	 * processor by then. */
	int64_t seen_ns, waited_ns;
};

/* How long a frame took to the worker; and without what that, or who sent it, waited for a processor that others used. */
struct wake_time {
	int64_t ns, calm_ns;
};

/* Makes the veth, in a network namespace of the calling process' own. Returns 0, or a negative errno and a sentence. */
int wake_make_links(struct err *e);

/* Opens all that; the worker runs. Returns 0, or a negative errno and a sentence; wake_bed_close() follows an error too. */
int wake_bed_open(struct wake_bed *b, enum wake_port kind, bool adaptive, struct err *e);
void wake_bed_close(struct wake_bed *b);

/* Sends one frame, and waits until the worker has it, a second at most. Returns 0, or a negative errno: it is lost. */
int wake_send(struct wake_bed *b, struct wake_time *out);

/* Processor time of the worker's thread. */
int64_t wake_cpu_ns(const struct wake_bed *b);
/* How often it has slept. */
uint64_t wake_sleeps(const struct wake_bed *b);
