/* SPDX-License-Identifier: BSD-2-Clause */
/* How the control plane and the DPDK engine, two processes of one host, speak: packets of a Unix socket (unix(7), SOCK_SEQPACKET) at
 * RUN_DIR/dpdk/socket, where the tables lie that both map (store.h). The control plane asks, and each question has one answer; what
 * carries a file has its descriptor beside (SCM_RIGHTS). A second connection, which has asked for it (LISTEN), is told of what
 * happens.
 *
 * There are two banks of neighbours, since a control plane that starts anew numbers their rows anew: it fills the one that packets do
 * not use, sends routes that name those rows, and then its first generation, with which packets change over to both.
 *
 * An engine that finds the XDP engine on its interfaces stands by: it has tables, but no ports until it is told to take them, while
 * XDP programs go on serving what they take before its sockets see it. It gives its ports back when it is told to, and stands by again.
 *
 * Virtual MAC addresses stand in generations: the engine has its devices take frames for new ones before packets go by a generation, and
 * leaves out those of the former one after that. What it has changed about devices it tells when it is asked (CHANGES).
 *
 * Structs stand in packets as they are in memory: both programs are of one build, or they do not speak. */
#pragma once
#include <net/if.h>
#include "dataplane/l4/capture.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/trace.h"

#define PROTOCOL_VERSION ((uint32_t)L4_TABLES_VERSION << 8 | 3)

/* Below RUN_DIR. */
#define PROTOCOL_DIR	"dpdk"
#define PROTOCOL_SOCKET PROTOCOL_DIR "/socket"

enum {
	PROTOCOL_PORTS = 64,
	PROTOCOL_WORKERS = 128,
	PROTOCOL_WHY = 160,
	PROTOCOL_FRAME = 4096, /* bytes of a traced frame at most */
	PROTOCOL_FILES = 2,
	PROTOCOL_WHAT = 48,
	PROTOCOL_LIST = 64, /* changes in one answer */
};

enum protocol_kind {
	PROTOCOL_HELLO, /* the first question of a connection, unless that is to be told */
	PROTOCOL_GENERATION, /* with its file (dataplane/snapshot/sealed.h); answered once no packet uses the former one */
	PROTOCOL_ROUTES, /* with a file of them (dataplane/snapshot/routes.h); likewise */
	PROTOCOL_TRACE,
	PROTOCOL_CAPTURE,     /* legs of packets that the filter wants are told from now on */
	PROTOCOL_CAPTURE_END, /* no more */
	PROTOCOL_STATUS,
	PROTOCOL_LISTEN, /* this connection is told, and asks no more */
	PROTOCOL_TAKE, /* the interfaces, if it stands by; it has neither generation nor routes then */
	PROTOCOL_GIVE, /* the interfaces back to the host; it stands by when that is answered */
	PROTOCOL_PAUSE, /* no packet is taken in, until the connection ends or says so: they wait in their sockets */
	PROTOCOL_RESUME,
	PROTOCOL_CHANGES, /* that the engine has made about its devices: a part of the list */
};

struct protocol_ask {
	uint32_t version; /* PROTOCOL_VERSION */
	uint32_t kind;	  /* enum protocol_kind */
	union {
		struct {
			/* The generation to whose rings and lists of sources it adds; 0: it is whole in itself. Means nothing of routes. */
			uint64_t after;
			uint32_t bank; /* of neighbours, whose rows it names */
			uint32_t pad;
		} file;
		struct {
			uint32_t ifindex, len;
			uint8_t frame[PROTOCOL_FRAME];
		} trace;
		struct l4_capture_filter capture;
		struct {
			uint32_t first, pad; /* of the list, from 0 */
		} changes;
	};
};

struct protocol_port {
	char interface[IF_NAMESIZE]; /* of the configuration */
	char driver[32];	     /* of DPDK, "net_af_packet" */
	uint32_t ifindex;	     /* of the interface, by which tables know it */
	uint32_t
		nic; /* ifindex of the kernel's device that its frames come by; 0: DPDK's own driver has it */
	uint8_t mac[6];
	uint16_t mtu;
	char host_path[8]; /* "tap" or "vhost": how the host has its frames */
};

/* HELLO. With the file of the generation that packets go by, and one of the rings, both to be read only; without files: there is no
 * generation yet. */
struct protocol_hello {
	uint64_t generation;	       /* 0: none */
	uint32_t bank;		       /* of neighbours, by which it goes */
	uint32_t routes;	       /* of each family, at most */
	uint64_t started_ns;	       /* CLOCK_MONOTONIC, when the engine began */
	uint32_t lines, chunks, guard; /* room for the image, the rings and lists of sources */
	uint32_t workers, n_ports;     /* without ports it stands by */
	struct protocol_port ports[PROTOCOL_PORTS];
};

struct protocol_traced {
	struct l4_way way;
	uint32_t len;
	uint8_t frame[PROTOCOL_FRAME]; /* as it would leave */
};

/* Of a worker since it began: cycles of the time stamp counter in polls that found packets, and in others or asleep. */
struct protocol_worker {
	uint64_t busy_cycles, idle_cycles;
	uint64_t sleeps;
	uint32_t cpu, pad;
};

struct protocol_status {
	uint64_t cycles_per_second;
	uint64_t capture_lost; /* legs that found no room on their way, since the capture began */
	uint32_t n_workers, pad;
	struct protocol_worker workers[PROTOCOL_WORKERS];
};

enum protocol_change_kind {
	PROTOCOL_OFFLOAD,    /* was turned off */
	PROTOCOL_MAC,	     /* frames for it are taken too */
	PROTOCOL_ALL_FRAMES, /* are taken, since there is no room for some MAC address */
	PROTOCOL_ALL_GROUPS, /* frames to all of them are taken */
};

struct protocol_change {
	uint32_t ifindex;	  /* of struct protocol_port */
	uint32_t kind;		  /* enum protocol_change_kind */
	char what[PROTOCOL_WHAT]; /* the offload as ethtool(8) has it, the MAC address, or "" */
};

struct protocol_changes {
	uint32_t n, more; /* more: the list goes on behind these */
	struct protocol_change list[PROTOCOL_LIST];
};

struct protocol_answer {
	int32_t rc; /* 0, or a negative errno and in `why` what is wrong */
	uint32_t kind;
	char why[PROTOCOL_WHY];
	union {
		struct protocol_hello hello;
		struct protocol_traced trace;
		struct protocol_status status;
		struct protocol_changes changes;
	};
};

/* What a listener is told: one of these, cut behind what is meant. */
enum protocol_told_kind {
	PROTOCOL_WANT,
	PROTOCOL_LEG,
	PROTOCOL_WORKERS_NOW, /* every PROTOCOL_WORKERS_MS */
};

enum { PROTOCOL_WORKERS_MS = 1000 };

struct protocol_told {
	uint64_t kind; /* enum protocol_told_kind */
	union {
		struct l4_want want;
		struct l4_captured leg;	       /* cut behind its bytes */
		struct protocol_status status; /* cut behind its workers */
	};
};
