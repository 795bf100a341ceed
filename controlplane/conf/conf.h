/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's configuration, read, checked and immutable. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "controlplane/base/addr.h"
#include "controlplane/base/err.h"

enum conf_engine_type { CONF_ENGINE_XDP, CONF_ENGINE_DPDK };
enum conf_xdp_mode { CONF_XDP_AUTO, CONF_XDP_NATIVE, CONF_XDP_GENERIC };
enum conf_polling { CONF_POLLING_ADAPTIVE, CONF_POLLING_BUSY };
enum conf_huge_pages { CONF_HUGE_PAGES_AUTO, CONF_HUGE_PAGES_REQUIRED, CONF_HUGE_PAGES_NONE };
/* How frames reach the host's stack. */
enum conf_host_path { CONF_HOST_PATH_AUTO, CONF_HOST_PATH_TAP, CONF_HOST_PATH_VHOST };
/* What takes over a port that the kernel has a driver for. */
enum conf_dpdk_driver { CONF_DPDK_AF_PACKET, CONF_DPDK_AF_XDP };
enum conf_forward {
	CONF_FORWARD_DSR,
	CONF_FORWARD_NAT,
	CONF_FORWARD_TUNNEL,
	CONF_FORWARD_LOCAL,
};
/* Which slots' flows have records: those that a change touched, all, or none. */
enum conf_track { CONF_TRACK_CHANGES, CONF_TRACK_ALL, CONF_TRACK_NONE };
enum conf_affinity { CONF_AFFINITY_NONE, CONF_AFFINITY_CLIENT };
enum conf_syn_cookies { CONF_SYN_COOKIES_OFF, CONF_SYN_COOKIES_AUTO };
enum conf_health_type { CONF_HEALTH_TCP, CONF_HEALTH_HTTP };

/* What becomes of packets that nobody who means well sends. */
enum conf_unwanted { CONF_UNWANTED_PASS, CONF_UNWANTED_DROP };

/* Every name is unique among its kind (a server's within its pool), and is a libconfig name:
 * [A-Za-z*][-A-Za-z0-9_*]*, at most 63 characters. `line` is where the object stands in the file. */
/* What the probe can send (RFC 9110, section 9; RFC 5789). */
enum conf_method {
	CONF_GET,
	CONF_HEAD,
	CONF_POST,
	CONF_PUT,
	CONF_DELETE,
	CONF_OPTIONS,
	CONF_TRACE,
	CONF_PATCH,
};

struct conf_interface {
	const char *name;
	const char *device; /* the kernel's name; the object's own name when not given */
	/* Of DPDK's own: conf_port_is_pci(), or a virtual device and its arguments; NULL: none, DPDK is to take over
	 * `device`. */
	const char *port;
	int line;
};

/* Whether an interface's port is a card's PCI address, as the kernel writes it, and not a virtual device. */
bool conf_port_is_pci(const char *port);

struct conf_vip {
	const char *name;
	struct addr address;
	unsigned interface; /* index into conf.interfaces: where ARP and ND are answered */
	bool local;	    /* some service on it is of this host's own stack */
	uint8_t mac
		[6]; /* virtual: that ARP and ND are answered with; all zero: the interface's own */
	int line;
};

/* An address that servers use as their gateway, so that replies of `nat` services pass here. */
struct conf_gateway {
	const char *name;
	struct addr address;
	unsigned interface;
	int line;
};

struct conf_prefix {
	struct addr address; /* bits behind the prefix do not matter */
	uint8_t plen;
	bool allow;
};

/* Sources that may use a service, or all services. */
struct conf_list {
	struct conf_prefix *prefixes; /* of the keys, then of the files */
	uint32_t n;
	bool only; /* no others than the allowed ones: there is an allow key, even if it names nobody */
	uint64_t digest; /* another one whenever what is above is another */
};

/* How an operator writes a list down. */
struct conf_sources {
	struct conf_prefixes {
		struct conf_prefix *list;
		uint32_t n;
		bool given;
	} allow, deny;
	const char *allow_file, *deny_file; /* absolute paths, or "" */
	struct conf_list list;		    /* what comes of all four */
};

/* What no other service of the VIP takes; no protocol has this number (IANA: reserved). */
enum { CONF_PROTOCOL_ANY = 255 };

/* As in the file: "tcp". */
const char *conf_protocol_name(uint8_t protocol);

/* Ports from the first to the last, which may be the same; host order. */
struct conf_range {
	uint16_t first, last;
};

/* Sorted, with no port in common. */
struct conf_ports {
	struct conf_range *list;
	uint32_t n;
};

/* Ranges of more than one port that the services of a VIP have together, and ports and ranges of one service. */
enum { CONF_RANGES_MAX = 63, CONF_PORTS_MAX = 64 };

struct conf_service {
	const char *name;
	unsigned vip;
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP or CONF_PROTOCOL_ANY */
	uint16_t
		port; /* host order; 0: not one, but those of `ports`, of which CONF_PROTOCOL_ANY has none */
	struct conf_ports ports;
	enum conf_forward forward;
	unsigned pool;	  /* CONF_NO_POOL: this host's own stack serves it (local) */
	uint32_t idle_ms; /* after so long without a packet a flow is over; never 0 */
	enum conf_track track;
	enum conf_affinity affinity;
	uint8_t quic_id_bytes; /* of the server id in connection ids; 0: they name no server */
	struct conf_sources sources; /* of its own */
	/* Packets and SYNs that a source may send in a second; 0: those under guard hold. */
	uint32_t source_rate, source_syn_rate;
	enum conf_syn_cookies syn_cookies;
	uint32_t
		syn_threshold; /* SYNs in a second that are no flood; counts with syn_cookies only */
	int line;
};

#define CONF_NO_POOL UINT32_MAX
/* A server id in QUIC connection ids. */
enum { CONF_QUIC_ID_MAX = 15 };

struct conf_quic_id {
	uint8_t bytes[CONF_QUIC_ID_MAX];
	uint8_t n; /* 0: the server has none */
};

struct conf_server {
	const char *name;
	unsigned pool;
	struct conf_quic_id quic_id;
	struct addr address;
	uint16_t port;	 /* host order; 0: the service's own */
	uint16_t weight; /* 0..1000; 0 takes no new flows */
	int line;
};

/* What a pool without a server that takes flows does, unless it falls back on another pool. */
#define CONF_EMPTY_DROP	 UINT32_MAX
#define CONF_EMPTY_RESET (UINT32_MAX - 1)

/* The most pools in a row that fall back on each other, and servers that they have together: a ring
 * slot names a server by 15 bits, two of whose values are no server. */
enum { CONF_CHAIN_MAX = 8, CONF_POOL_SERVERS_MAX = 32766 };

enum conf_encapsulation { CONF_ENCAPSULATION_IPIP, CONF_ENCAPSULATION_GUE };

struct conf_pool {
	const char *name;
	int health;			  /* index into conf.healths, or -1: servers count as up */
	unsigned first_server, n_servers; /* its servers are contiguous in conf.servers */
	uint32_t when_empty; /* CONF_EMPTY_*, or the index of the pool to fall back on */
	uint16_t min_up;     /* with fewer servers up, failed ones are used too */
	enum conf_encapsulation encapsulation; /* of tunnels to its servers */
	int line;
};

struct conf_health {
	const char *name;
	enum conf_health_type type;
	uint32_t interval_ms, timeout_ms;
	uint16_t rise, fall;
	uint8_t jitter_percent;
	uint16_t port; /* 0: the server's own, or the service's when the server has none */
	/* http only */
	enum conf_method method;
	const char *path, *host; /* host "": the server's address */
	uint16_t status_min, status_max;
	const char *body; /* "": not looked at; else a string that the body must contain */
	int line;
};

/* Sizes of the engine's tables. */
struct conf_limits {
	uint32_t vips; /* gateways count too */
	uint32_t services, pools, servers, routes, neighbours;
	uint32_t ring_slots;
	uint32_t records; /* of flows; the engine rounds it up to a power of two */
	uint32_t
		guard_sources; /* whose rates are known; the engine rounds it up to a power of two */
	uint32_t guard_prefixes; /* of sources, of all lists together */
	uint32_t datagrams; /* in fragments, at a time; the engine rounds it up to a power of two */
	uint32_t syn_proxied; /* connections begun by SYN cookies; likewise */
	uint32_t answers;     /* to refused packets, per processor in about a second */
};

/* Debian's DPDK knows 128 threads (RTE_MAX_LCORE), of which the main one is no worker. */
enum { CONF_CPU_MAX = 1023, CONF_CPUS_MAX = 127 };

/* The DPDK engine's, which its own process reads. */
struct conf_dpdk {
	uint16_t cpus[CONF_CPUS_MAX]; /* in the file's order: worker i runs on cpus[i] */
	unsigned n_cpus; /* 0: one worker, on the highest CPU that the process may use */
	enum conf_polling polling;
	uint32_t memory;      /* MiB */
	uint32_t descriptors; /* of each queue, a power of two */
	enum conf_huge_pages huge_pages;
	enum conf_dpdk_driver driver;
	enum conf_host_path host_path;
};

#define CONF_SOURCE_BITS 32

/* An address, or a prefix whose other bits are the flow's, the last CONF_SOURCE_BITS at most. */
struct conf_source {
	struct addr address; /* af 0: the host's own is taken */
	uint8_t bits;	     /* how many are the flow's; 0 for an address */
};

struct conf {
	const char *node;
	struct {
		enum conf_engine_type type;
		enum conf_xdp_mode mode;
		struct conf_dpdk dpdk;
	} engine;
	struct conf_limits limits;
	struct {
		const char *group; /* group that may use the API's socket, or "" */
	} api;
	struct {
		struct conf_source source4, source6;
		uint16_t gue_port;
	} tunnel;
	/* Of packets for services. */
	struct {
		enum conf_unwanted invalid_flags, land, bogons;
		struct conf_sources sources;	       /* of all services */
		uint32_t source_rate, source_syn_rate; /* 0: any number */
	} guard;
	struct conf_interface *interfaces;
	struct conf_vip *vips;
	struct conf_gateway *gateways;
	struct conf_service *services;
	struct conf_pool *pools;
	struct conf_server *servers;
	struct conf_health *healths;
	unsigned n_interfaces, n_vips, n_gateways, n_services, n_pools, n_servers, n_healths;
	struct conf_memory *memory; /* owns every string and array above */
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
	enum diag_level level;
	int line;      /* 1-based; 0: the file as a whole */
	int column;    /* in characters, 1-based; 0: unknown, no caret */
	char *message; /* a full sentence without the position */
	char *source;  /* the text of the line, UTF-8; NULL: too long, or not fit to be shown */
};

/* What reading a file has to say, in the order of lines. */
struct diags {
	struct diag *list;
	size_t n, n_errors;
	size_t n_hidden; /* entries beyond the first thousand; the last of the list says so */
	char *file;
};

void diags_free(struct diags *d);

/* Prints every entry in the compilers' manner: "FILE:LINE:COL: error: MESSAGE", the line, a caret. */
void diags_print(const struct diags *d, FILE *out);

#define CONF_LIST_MAX (128u << 20) /* bytes of a file of prefixes */

/* How files of prefixes are read that a configuration names. */
struct conf_files {
	/* Reads a regular file of at most CONF_LIST_MAX bytes without a NUL. Returns 0 and its text, to be freed; or a
	 * negative errno and a sentence. */
	int (*read)(void *arg, const char *path, char **text, struct err *e);
	void *arg;
};

/* Reads and checks a file, which must be a regular one of at most 16 MiB and stand alone (@include is
 * refused), so that no other file is ever read but those of prefixes that it names. Returns 0 and *out, to be freed with conf_free(); or a
 * negative errno and at least one error in d (-EINVAL: in what the file says; -ENOMEM: d may be empty).
 * *d is made anew, whatever it held. It may hold warnings and notes on success too; the caller frees it in
 * every case. */
int conf_load(const char *path, struct conf **out, struct diags *d);

/* The same from text, `name` standing for the file in messages; files of prefixes are not read, and hold none. */
int conf_parse(const char *text, const char *name, struct conf **out, struct diags *d);

/* The same with files of prefixes. */
int conf_parse_with(const char *text, const char *name, const struct conf_files *files,
	struct conf **out, struct diags *d);

/* NULL is allowed. */
void conf_free(struct conf *c);

/* Prints the schema (path, type, unit, range, default, reloadable, help) as text, or as the JSON of
 * `tandemctl config schema -j`. */
void conf_schema_print(FILE *out, bool json);

/* Room for every port and range of a service. */
#define CONF_PORTS_TEXT (CONF_PORTS_MAX * sizeof "65535-65535")

/* Writes ports as an operator does, "80,443,8000-8999" or "any", to buf, and returns it. */
const char *conf_ports_text(const struct conf_ports *p, char buf[CONF_PORTS_TEXT]);

/* Whole-object look-ups by name; return the index or -1. */
int conf_find_pool(const struct conf *c, const char *name);
int conf_find_service(const struct conf *c, const char *name);
int conf_find_vip(const struct conf *c, const char *name);
/* The server called `server` in pool `pool` (an index), or -1. */
int conf_find_server(const struct conf *c, unsigned pool, const char *server);

/* The pool that `pool` falls back on, or -1. There are no circles, and a service reaches CONF_CHAIN_MAX pools
 * at most:
 *	for (int p = (int)service->pool; p >= 0; p = conf_pool_fallback(c, (unsigned)p)) */
int conf_pool_fallback(const struct conf *c, unsigned pool);

/* Whether `pool` is `target`, or falls back on it, directly or over others. */
bool conf_pool_reaches(const struct conf *c, unsigned pool, unsigned target);

/* How many servers a pool has together with those that it falls back on. */
unsigned conf_pool_servers(const struct conf *c, unsigned pool);
