/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/schema.h"
#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include "controlplane/conf/rules.h"

#define KIND(symbol, type, article, word_, path_, list_, n_) \
	[symbol] = {                                         \
		.word = word_,                               \
		.one = article " " word_,                    \
		.path = path_,                               \
		.list = offsetof(struct conf, list_),        \
		.n = offsetof(struct conf, n_),              \
		.size = sizeof(struct type),                 \
		.line = offsetof(struct type, line),         \
	}

const struct conf_kind_info conf_kinds[CONF_KINDS] = {
	KIND(CONF_INTERFACE, conf_interface, "an", "interface", "interfaces.*", interfaces,
		n_interfaces),
	KIND(CONF_VIP, conf_vip, "a", "vip", "vips.*", vips, n_vips),
	KIND(CONF_GATEWAY, conf_gateway, "a", "gateway", "gateways.*", gateways, n_gateways),
	KIND(CONF_HEALTH, conf_health, "a", "health", "health.*", healths, n_healths),
	KIND(CONF_POOL, conf_pool, "a", "pool", "pools.*", pools, n_pools),
	KIND(CONF_SERVER, conf_server, "a", "server", "pools.*.servers.*", servers, n_servers),
	KIND(CONF_SERVICE, conf_service, "a", "service", "services.*", services, n_services),
};

static_assert(
	offsetof(struct conf_interface, name) == 0 && offsetof(struct conf_vip, name) == 0 &&
		offsetof(struct conf_gateway, name) == 0 &&
		offsetof(struct conf_health, name) == 0 && offsetof(struct conf_pool, name) == 0 &&
		offsetof(struct conf_server, name) == 0 && offsetof(struct conf_service, name) == 0,
	"every object begins with its name");
static_assert(offsetof(struct conf_health, status_max) ==
		      offsetof(struct conf_health, status_min) + sizeof(uint16_t),
	"a status range is stored as a pair");

static const struct conf_word engine_types[] = {
	{ "xdp", CONF_ENGINE_XDP },
	{ "dpdk", CONF_ENGINE_DPDK },
	{ 0 },
};
static const struct conf_word xdp_modes[] = {
	{ "auto", CONF_XDP_AUTO },
	{ "native", CONF_XDP_NATIVE },
	{ "generic", CONF_XDP_GENERIC },
	{ 0 },
};
static const struct conf_word pollings[] = {
	{ "adaptive", CONF_POLLING_ADAPTIVE },
	{ "busy", CONF_POLLING_BUSY },
	{ 0 },
};
static const struct conf_word huge_pages[] = {
	{ "auto", CONF_HUGE_PAGES_AUTO },
	{ "required", CONF_HUGE_PAGES_REQUIRED },
	{ "none", CONF_HUGE_PAGES_NONE },
	{ 0 },
};
static const struct conf_word dpdk_drivers[] = {
	{ "af_packet", CONF_DPDK_AF_PACKET },
	{ "af_xdp", CONF_DPDK_AF_XDP },
	{ 0 },
};
static const struct conf_word host_paths[] = {
	{ "auto", CONF_HOST_PATH_AUTO },
	{ "tap", CONF_HOST_PATH_TAP },
	{ "vhost", CONF_HOST_PATH_VHOST },
	{ 0 },
};
static const struct conf_word health_types[] = {
	{ "tcp", CONF_HEALTH_TCP },
	{ "http", CONF_HEALTH_HTTP },
	{ 0 },
};
static const struct conf_word methods[] = {
	{ "GET", CONF_GET },
	{ "HEAD", CONF_HEAD },
	{ "POST", CONF_POST },
	{ "PUT", CONF_PUT },
	{ "DELETE", CONF_DELETE },
	{ "OPTIONS", CONF_OPTIONS },
	{ "TRACE", CONF_TRACE },
	{ "PATCH", CONF_PATCH },
	{ 0 },
};
static const struct conf_word protocols[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
	{ "any", CONF_PROTOCOL_ANY },
	{ 0 },
};
static const struct conf_word forwards[] = {
	{ "dsr", CONF_FORWARD_DSR },
	{ "nat", CONF_FORWARD_NAT },
	{ "tunnel", CONF_FORWARD_TUNNEL },
	{ "local", CONF_FORWARD_LOCAL },
	{ 0 },
};

static const struct conf_word tracks[] = {
	{ "changes", CONF_TRACK_CHANGES },
	{ "all", CONF_TRACK_ALL },
	{ "none", CONF_TRACK_NONE },
	{ 0 },
};
static const struct conf_word affinities[] = {
	{ "none", CONF_AFFINITY_NONE },
	{ "client", CONF_AFFINITY_CLIENT },
	{ 0 },
};
static const struct conf_word syn_cookies[] = {
	{ "off", CONF_SYN_COOKIES_OFF },
	{ "auto", CONF_SYN_COOKIES_AUTO },
	{ 0 },
};
static const struct conf_word unwanted[] = {
	{ "pass", CONF_UNWANTED_PASS },
	{ "drop", CONF_UNWANTED_DROP },
	{ 0 },
};
static const struct conf_word encapsulations[] = {
	{ "ipip", CONF_ENCAPSULATION_IPIP },
	{ "gue", CONF_ENCAPSULATION_GUE },
	{ 0 },
};
static const struct conf_word empties[] = {
	{ "drop", CONF_EMPTY_DROP },
	{ "reset", CONF_EMPTY_RESET },
	{ 0 },
};

#define FIELD(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define ONLY_HTTP .only_with = "http"
#define NOT_LOCAL .not_with = "local"

/* clang-format off */
const struct conf_key conf_schema[] = {
	{ .path = "node", .type = CONF_STRING, FIELD(conf, node), .rule = conf_rule_node, .required = true,
	  .reloadable = true,
	  .example = "lb-a", .help = "name of this machine in status, logs and metrics" },

	{ .path = "engine", .type = CONF_GROUP, .help = "what forwards the packets" },
	{ .path = "engine.type", .type = CONF_ENUM, FIELD(conf, engine.type), .words = engine_types,
	  .reloadable = true, .fallback = "xdp",
	  .help = "the packet engine: xdp runs in the kernel, dpdk is a process of its own, tandem-dpdk, which "
		  "has the interfaces' queues to itself and must run before this is applied; a reload changes from "
		  "one to the other while packets flow" },
	{ .path = "engine.mode", .type = CONF_ENUM, FIELD(conf, engine.mode), .words = xdp_modes,
	  .fallback = "auto",
	  .help = "how the XDP programs are attached: native runs in the driver, generic is slow but works "
		  "with every device, auto takes native when all interfaces can and else generic for all" },

	{ .path = "engine.dpdk", .type = CONF_GROUP,
	  .help = "type = \"dpdk\": what tandem-dpdk takes of this machine; it reads all of this, and \"port\" of "
		  "interfaces, when it is started" },
	{ .path = "engine.dpdk.cpus", .type = CONF_CPUS, FIELD(conf, engine.dpdk),
	  .otherwise = "one worker, on the highest CPU that the process may use", .example = "2-5,8",
	  .help = "CPUs that run one worker each, as numbers and ranges of them; keep other work off them "
		  "(isolcpus), and take those of the NUMA node that the cards are on" },
	{ .path = "engine.dpdk.polling", .type = CONF_ENUM, FIELD(conf, engine.dpdk.polling),
	  .words = pollings, .fallback = "adaptive",
	  .help = "adaptive: a worker asks its queues without a pause while there is work, and sleeps when there is none: "
		  "until a frame comes, where the driver tells of that, else up to 500 us at a time; busy: it never sleeps, "
		  "which takes the whole CPU and answers soonest" },
	{ .path = "engine.dpdk.memory", .type = CONF_INT, FIELD(conf, engine.dpdk.memory), .unit = "MiB",
	  .min = 64, .max = 1048576, .fallback = "512",
	  .help = "memory for DPDK's buffers and tables of its own; those that \"limits\" sizes come besides" },
	{ .path = "engine.dpdk.huge_pages", .type = CONF_ENUM, FIELD(conf, engine.dpdk.huge_pages),
	  .words = huge_pages, .fallback = "auto",
	  .help = "where that memory lies: auto: in huge pages when enough are free, else in others, with a "
		  "warning; required: in huge pages, or tandem-dpdk does not start; none: in others, which is slower "
		  "and suits few drivers of cards" },
	{ .path = "engine.dpdk.descriptors", .type = CONF_INT, FIELD(conf, engine.dpdk.descriptors),
	  .unit = "packets", .min = 64, .max = 32768, .fallback = "1024",
	  .help = "how many packets each queue of an interface holds, a power of two; more bear longer bursts and "
		  "take more memory" },
	{ .path = "engine.dpdk.driver", .type = CONF_ENUM, FIELD(conf, engine.dpdk.driver),
	  .words = dpdk_drivers, .fallback = "af_packet",
	  .help = "by which interfaces without \"port\" are taken over, whose devices the kernel runs: af_packet: "
		  "packet sockets, with every device; af_xdp: XDP sockets, faster with drivers that know them" },
	{ .path = "engine.dpdk.host_path", .type = CONF_ENUM, FIELD(conf, engine.dpdk.host_path),
	  .words = host_paths, .fallback = "auto",
	  .help = "how frames go to the host's own stack and come from it, by a tap for each interface: vhost: in "
		  "rings that the kernel's vhost-net serves, or tandem-dpdk does not start; tap: one by one, by read(2) and "
		  "write(2), with every kernel; auto: vhost where /dev/vhost-net can be opened, else tap" },

	{ .path = "limits", .type = CONF_GROUP,
	  .help = "sizes of the engine's tables; their memory is taken at the start" },
	{ .path = "limits.vips", .type = CONF_INT, FIELD(conf, limits.vips), .unit = "addresses",
	  .min = 1, .max = 65535, .fallback = "256", .help = "VIPs and gateways together" },
	{ .path = "limits.services", .type = CONF_INT, FIELD(conf, limits.services), .unit = "services",
	  .min = 1, .max = 65535, .fallback = "1024", .help = "services" },
	{ .path = "limits.pools", .type = CONF_INT, FIELD(conf, limits.pools), .unit = "pools", .min = 1,
	  .max = 65535, .fallback = "1024", .help = "pools" },
	{ .path = "limits.servers", .type = CONF_INT, FIELD(conf, limits.servers), .unit = "servers",
	  .min = 1, .max = 65535, .fallback = "4096",
	  .help = "servers of all pools together, where those that a pool falls back on count once more; and "
		  "servers of all nat services together, where one that serves two counts twice" },
	{ .path = "limits.routes", .type = CONF_INT, FIELD(conf, limits.routes), .unit = "routes",
	  .min = 1, .max = 4194304, .fallback = "16384",
	  .help = "routes of the kernel that the engine mirrors" },
	{ .path = "limits.neighbours", .type = CONF_INT, FIELD(conf, limits.neighbours),
	  .unit = "neighbours", .min = 1, .max = 4194304, .fallback = "16384",
	  .help = "on-link servers, routers and clients whose MAC addresses the engine keeps" },
	{ .path = "limits.ring_slots", .type = CONF_INT, FIELD(conf, limits.ring_slots), .unit = "slots",
	  .min = 256, .max = 67108864, .fallback = "1048576",
	  .help = "slots of the rings of all pools together; a pool takes the smallest power of two that is "
		  "at least 100 times its servers and those that it falls back on, from 256 to 1048576" },
	{ .path = "limits.records", .type = CONF_INT, FIELD(conf, limits.records), .unit = "records",
	  .min = 1024, .max = 67108864, .fallback = "2097152",
	  .help = "records of flows, 16 bytes each, rounded up to a power of two; flows need one while a "
		  "change of their pool could touch them, and always with track = \"all\" or "
		  "affinity = \"client\"" },

	{ .path = "limits.guard_prefixes", .type = CONF_INT, FIELD(conf, limits.guard_prefixes),
	  .unit = "prefixes", .min = 0, .max = 4194304, .fallback = "16384",
	  .help = "prefixes of sources in all lists together, where lists that are the same count once; the "
		  "default takes 2 MiB, a million 87 MiB; 0: no lists" },
	{ .path = "limits.guard_sources", .type = CONF_INT, FIELD(conf, limits.guard_sources),
	  .unit = "sources", .min = 1024, .max = 67108864, .fallback = "65536",
	  .help = "sources whose rates are known at a time, 16 bytes each, rounded up to a power of two; of more "
		  "than that the least active are forgotten, and may send as if they were new" },
	{ .path = "limits.datagrams", .type = CONF_INT, FIELD(conf, limits.datagrams),
	  .unit = "datagrams", .min = 64, .max = 1048576, .fallback = "4096",
	  .help = "packets of which some fragments have come and others not, at a time, 1 KiB each, rounded up to a "
		  "power of two; of more than that the oldest are forgotten, and the rest of their "
		  "fragments dropped" },
	{ .path = "limits.syn_proxied", .type = CONF_INT, FIELD(conf, limits.syn_proxied),
	  .unit = "connections", .min = 64, .max = 33554432, .fallback = "65536",
	  .help = "connections of nat services that were begun by SYN cookies, 32 bytes each, rounded up to a power "
		  "of two; more than that cannot begin so, and their clients try again" },
	{ .path = "limits.answers", .type = CONF_INT, FIELD(conf, limits.answers), .unit = "packets",
	  .min = 0, .max = 1000000, .fallback = "1000", .reloadable = true,
	  .help = "ICMP errors and TCP resets that each CPU may send in about a second to senders of packets "
		  "that are too big or that no server takes; 0: none" },

	{ .path = "tunnel", .type = CONF_GROUP, .help = "what packets of tunnel services are wrapped in" },
	{ .path = "tunnel.source4", .type = CONF_SOURCE, FIELD(conf, tunnel.source4), .min = 8, .max = 32,
	  .otherwise = "the host's own address on the interface towards the server", .reloadable = true,
	  .example = "198.51.100.2",
	  .help = "source address of IPv4 tunnels; or a prefix such as 10.9.0.0/16, whose other bits are then "
		  "chosen by flow, so that servers spread tunnels over their queues" },
	{ .path = "tunnel.source6", .type = CONF_SOURCE, FIELD(conf, tunnel.source6), .min = 64, .max = 128,
	  .otherwise = "the host's own address on the interface towards the server", .reloadable = true,
	  .example = "2001:db8::2",
	  .help = "the same for IPv6; of a prefix such as fd00:9::/64 the last 32 bits are chosen by flow" },
	{ .path = "tunnel.gue_port", .type = CONF_INT, FIELD(conf, tunnel.gue_port), .min = 1, .max = 65535,
	  .fallback = "6080", .reloadable = true,
	  .help = "UDP port of servers that tunnels of pools with encapsulation = \"gue\" go to" },

	{ .path = "guard", .type = CONF_GROUP,
	  .help = "which packets for services are dropped before a server is chosen; other packets are never "
		  "touched" },
	{ .path = "guard.invalid_flags", .type = CONF_ENUM, FIELD(conf, guard.invalid_flags),
	  .words = unwanted, .fallback = "pass", .reloadable = true,
	  .help = "TCP segments whose flags no connection sends: anything but a SYN, a SYN with ACK, a RST with "
		  "or without ACK, and segments with ACK but neither SYN nor RST, such as none at all, FIN "
		  "without ACK, SYN with FIN or RST; PSH, ECE and CWR are not looked at" },
	{ .path = "guard.land", .type = CONF_ENUM, FIELD(conf, guard.land), .words = unwanted,
	  .fallback = "pass", .reloadable = true,
	  .help = "packets whose source address and port are the destination's" },
	{ .path = "guard.bogons", .type = CONF_ENUM, FIELD(conf, guard.bogons), .words = unwanted,
	  .fallback = "pass", .reloadable = true,
	  .help = "packets from 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 240.0.0.0/4, ::, ::1, "
		  "::ffff:0:0/96, fe80::/10, ff00::/8 or the VIP itself; private networks are no bogons: use "
		  "guard.deny for what else should not come" },
	{ .path = "guard.deny", .type = CONF_PREFIXES, FIELD(conf, guard.sources.deny),
	  .otherwise = "none is denied", .reloadable = true, .example = "203.0.113.0/24",
	  .help = "sources that may use no service, as prefixes or addresses; of all prefixes here and in the files the longest one "
		  "that holds a source decides, and of two that are the same the one that denies" },
	{ .path = "guard.deny_file", .type = CONF_STRING, FIELD(conf, guard.sources.deny_file),
	  .rule = conf_rule_file, .fallback = "", .otherwise = "no file", .reloadable = true,
	  .example = "/etc/tandem/deny.txt",
	  .help = "more of them: a file with one prefix or address on each line, where # begins a comment; it is read "
		  "again whenever the configuration is" },
	{ .path = "guard.allow", .type = CONF_PREFIXES, FIELD(conf, guard.sources.allow),
	  .otherwise = "every source is allowed", .reloadable = true, .example = "198.51.100.0/24",
	  .help = "the only sources that may use a service, but for what a longer prefix says" },
	{ .path = "guard.allow_file", .type = CONF_STRING, FIELD(conf, guard.sources.allow_file),
	  .rule = conf_rule_file, .fallback = "", .otherwise = "no file", .reloadable = true,
	  .example = "/etc/tandem/allow.txt", .help = "more of them, in a file like that of deny_file" },
	{ .path = "guard.source_rate", .type = CONF_INT, FIELD(conf, guard.source_rate),
	  .unit = "packets", .min = 0, .max = 1000000000, .fallback = "0", .reloadable = true,
	  .help = "packets that each source may send to a service in a second, counted in steps of 1.07 s; a source "
		  "is an IPv4 address or an IPv6 /64; 0: any number" },
	{ .path = "guard.source_syn_rate", .type = CONF_INT, FIELD(conf, guard.source_syn_rate),
	  .unit = "SYNs", .min = 0, .max = 1000000000, .fallback = "0", .reloadable = true,
	  .help = "TCP connections that each source may begin to a service in a second, likewise; 0: any number" },

	{ .path = "api", .type = CONF_GROUP, .help = "the API on the Unix socket" },
	{ .path = "api.group", .type = CONF_STRING, FIELD(conf, api.group), .rule = conf_rule_group,
	  .fallback = "", .example = "tandem",
	  .help = "user group whose members may use the API; without it only the daemon's own user may" },

	{ .path = "interfaces", .type = CONF_NAMED, .kind = CONF_INTERFACE, .required = true,
	  .example = "interfaces: { front: { device = \"eth0\"; }; };",
	  .help = "interfaces that the engine receives on and sends out of" },
	{ .path = "interfaces.*.device", .type = CONF_STRING, FIELD(conf_interface, device),
	  .rule = conf_rule_device, .own_name = true, .otherwise = "the interface's own name",
	  .example = "eth0", .help = "the kernel's name of the network device: a real one, a VLAN of one (eth0.100, "
		  "also one in another), or a bond; see tandemd(8)" },

	{ .path = "interfaces.*.port", .type = CONF_STRING, FIELD(conf_interface, port),
	  .rule = conf_rule_port,
	  .otherwise = "the interface's device, which the kernel runs and engine.dpdk.driver takes over",
	  .example = "0000:3b:00.0",
	  .help = "engine.type = \"dpdk\" only: the port that DPDK runs without the kernel: the PCI address of a card "
		  "that is bound to vfio-pci or the like, or a virtual device of DPDK's and its arguments, such as "
		  "\"net_memif0,socket=/run/m.sock\"" },

	{ .path = "vips", .type = CONF_NAMED, .kind = CONF_VIP, .reloadable = true,
	  .example = "vips: { web: { address = \"192.0.2.10\"; interface = \"front\"; }; };",
	  .help = "virtual addresses that clients connect to" },
	{ .path = "vips.*.address", .type = CONF_ADDRESS, FIELD(conf_vip, address), .required = true,
	  .reloadable = true, .example = "192.0.2.10",
	  .help = "the address, IPv4 or IPv6, without a prefix length" },
	{ .path = "vips.*.interface", .type = CONF_REF, .kind = CONF_INTERFACE, FIELD(conf_vip, interface),
	  .required = true, .reloadable = true, .example = "front",
	  .help = "where ARP and neighbour discovery for the address are answered" },
	{ .path = "vips.*.mac", .type = CONF_MAC, FIELD(conf_vip, mac), .otherwise = "the interface's own",
	  .reloadable = true, .example = "00:00:5e:00:01:0a",
	  .help = "virtual MAC address, that they are answered with and the interface takes frames for besides its own, so "
		  "that neighbours keep it when the machine or its hardware is replaced; no other station on the "
		  "network may have it. VIPs of an interface may share one. Packets to servers leave with the "
		  "interface's own" },

	{ .path = "gateways", .type = CONF_NAMED, .kind = CONF_GATEWAY, .reloadable = true,
	  .example = "gateways: { back: { address = \"198.51.100.1\"; interface = \"back\"; }; };",
	  .help = "addresses that servers of nat services use as their gateway, so that replies pass here" },
	{ .path = "gateways.*.address", .type = CONF_ADDRESS, FIELD(conf_gateway, address),
	  .required = true, .reloadable = true, .example = "198.51.100.1",
	  .help = "the address, IPv4 or IPv6, without a prefix length" },
	{ .path = "gateways.*.interface", .type = CONF_REF, .kind = CONF_INTERFACE,
	  FIELD(conf_gateway, interface), .required = true, .reloadable = true, .example = "back",
	  .help = "where ARP and neighbour discovery for the address are answered" },

	{ .path = "health", .type = CONF_NAMED, .kind = CONF_HEALTH, .reloadable = true,
	  .example = "health: { web: { type = \"http\"; path = \"/healthz\"; }; };",
	  .help = "checks that tell whether a server can take new connections" },
	{ .path = "health.*.type", .type = CONF_ENUM, FIELD(conf_health, type), .words = health_types,
	  .required = true, .reloadable = true, .example = "http",
	  .help = "tcp: a connection is accepted; http: a request is answered as wanted" },
	{ .path = "health.*.interval", .type = CONF_DURATION, FIELD(conf_health, interval_ms), .min = 10,
	  .max = 3600000, .fallback = "2s", .reloadable = true, .example = "2s",
	  .help = "from the start of one probe to the start of the next" },
	{ .path = "health.*.timeout", .type = CONF_DURATION, FIELD(conf_health, timeout_ms), .min = 10,
	  .max = 3600000, .fallback = "1s", .reloadable = true, .example = "1s",
	  .help = "a probe that takes longer has failed; at most the interval" },
	{ .path = "health.*.rise", .type = CONF_INT, FIELD(conf_health, rise), .unit = "probes", .min = 1,
	  .max = 100, .fallback = "2", .reloadable = true,
	  .help = "successful probes in a row that bring a server up" },
	{ .path = "health.*.fall", .type = CONF_INT, FIELD(conf_health, fall), .unit = "probes", .min = 1,
	  .max = 100, .fallback = "3", .reloadable = true,
	  .help = "failed probes in a row that take a server down" },
	{ .path = "health.*.jitter", .type = CONF_PERCENT, FIELD(conf_health, jitter_percent), .min = 0,
	  .max = 50, .fallback = "10%", .reloadable = true, .example = "10%",
	  .help = "how far an interval may stray at random, so that probes do not come in bursts" },
	{ .path = "health.*.port", .type = CONF_INT, FIELD(conf_health, port), .min = 1, .max = 65535,
	  .otherwise = "the server's port", .reloadable = true, .example = "8080",
	  .help = "port that is probed" },
	{ .path = "health.*.method", .type = CONF_ENUM, FIELD(conf_health, method), ONLY_HTTP,
	  .words = methods, .fallback = "GET", .reloadable = true, .help = "the request's method" },
	{ .path = "health.*.path", .type = CONF_STRING, FIELD(conf_health, path), ONLY_HTTP,
	  .rule = conf_rule_path, .fallback = "/", .reloadable = true, .example = "/healthz",
	  .help = "the request's path and query" },
	{ .path = "health.*.host", .type = CONF_STRING, FIELD(conf_health, host), ONLY_HTTP,
	  .rule = conf_rule_host, .fallback = "", .otherwise = "the server's address", .reloadable = true,
	  .example = "www.example.com", .help = "the request's Host header" },
	{ .path = "health.*.status", .type = CONF_STATUS, FIELD(conf_health, status_min), ONLY_HTTP,
	  .min = 100, .max = 599, .fallback = "200-399", .reloadable = true, .example = "200-399",
	  .help = "status codes that count as success: one, or the first and the last of a range" },
	{ .path = "health.*.body", .type = CONF_STRING, FIELD(conf_health, body), ONLY_HTTP,
	  .rule = conf_rule_body, .fallback = "", .otherwise = "the body is not looked at",
	  .reloadable = true, .example = "ok", .help = "text that the answer's body must contain" },

	{ .path = "pools", .type = CONF_NAMED, .kind = CONF_POOL, .reloadable = true,
	  .example = "pools: { web: { servers: { web1: { address = \"198.51.100.11\"; }; }; }; };",
	  .help = "sets of servers that do the same work" },
	{ .path = "pools.*.health", .type = CONF_REF, .kind = CONF_HEALTH, FIELD(conf_pool, health),
	  .otherwise = "no check: servers count as up", .reloadable = true, .example = "web",
	  .help = "how its servers are checked" },
	{ .path = "pools.*.when_empty", .type = CONF_REF, .kind = CONF_POOL, FIELD(conf_pool, when_empty),
	  .words = empties, .fallback = "drop", .reloadable = true, .example = "sorry",
	  .help = "what becomes of new flows while no server of the pool takes any: drop: they are dropped; "
		  "reset: they are refused by a TCP reset or an ICMP port unreachable; else the servers of "
		  "that pool take them, which may fall back in turn, over eight pools at most" },
	{ .path = "pools.*.min_up", .type = CONF_INT, FIELD(conf_pool, min_up), .unit = "servers", .min = 0,
	  .max = 65535, .fallback = "0", .reloadable = true,
	  .help = "while fewer servers than this are up, those that failed their checks are used too, since "
		  "the few would not bear the load of all" },
	{ .path = "pools.*.encapsulation", .type = CONF_ENUM, FIELD(conf_pool, encapsulation),
	  .words = encapsulations, .fallback = "ipip", .reloadable = true,
	  .help = "what services with forward = \"tunnel\" put around packets for its servers: ipip: an IP header; "
		  "gue: an IP header and one of UDP, from a port of the flow's own, so that routers and network "
		  "cards spread flows (Generic UDP Encapsulation, variant 1); UDP checksums are zero, which "
		  "servers must accept over IPv6 too (RFC 6935)" },
	{ .path = "pools.*.servers", .type = CONF_NAMED, .kind = CONF_SERVER, .reloadable = true,
	  .example = "servers: { web1: { address = \"198.51.100.11\"; }; };",
	  .help = "the servers of the pool" },
	{ .path = "pools.*.servers.*.address", .type = CONF_ADDRESS, FIELD(conf_server, address),
	  .required = true, .reloadable = true, .example = "198.51.100.11",
	  .help = "the server's address, of the same family as the VIPs of its services; tunnels cross from IPv4 to IPv6 "
		  "and back" },
	{ .path = "pools.*.servers.*.port", .type = CONF_INT, FIELD(conf_server, port), .min = 1,
	  .max = 65535, .otherwise = "the service's port", .reloadable = true, .example = "8080",
	  .help = "port that nat services translate to" },
	{ .path = "pools.*.servers.*.weight", .type = CONF_INT, FIELD(conf_server, weight), .min = 0,
	  .max = 1000, .fallback = "1", .reloadable = true,
	  .help = "its share of new flows in proportion to the pool's other weights; 0 takes none" },

	{ .path = "pools.*.servers.*.quic_id", .type = CONF_HEX, FIELD(conf_server, quic_id),
	  .min = 1, .max = CONF_QUIC_ID_MAX, .otherwise = "no id: flows go there by their addresses and ports",
	  .reloadable = true, .example = "0a1b",
	  .help = "what the server puts behind the first byte of QUIC connection ids that it gives out, as plain "
		  "text (QUIC-LB), at least four bytes of its own behind it" },

	{ .path = "services", .type = CONF_NAMED, .kind = CONF_SERVICE, .reloadable = true,
	  .example = "services: { web: { vip = \"web\"; port = 80; forward = \"nat\"; pool = \"web\"; }; };",
	  .help = "what is offered on the VIPs" },
	{ .path = "services.*.vip", .type = CONF_REF, .kind = CONF_VIP, FIELD(conf_service, vip),
	  .required = true, .reloadable = true, .example = "web", .help = "the address that clients connect to" },
	{ .path = "services.*.protocol", .type = CONF_ENUM, FIELD(conf_service, protocol),
	  .words = protocols, .fallback = "tcp", .reloadable = true,
	  .help = "the transport protocol; any: all that no other service of the VIP takes, such as ESP or GRE, "
		  "and what is left of the others, but for ping, which is answered. Such a service has no port, "
		  "affinity = \"client\" in any case, dsr or tunnel, and no packet of it is refused by an answer. "
		  "sctp: associations of one address, since those of the others are in no packet; with nat servers "
		  "have the service's port, which the checksum covers" },
	{ .path = "services.*.port", .type = CONF_INT, FIELD(conf_service, port), .min = 1, .max = 65535,
	  .otherwise = "those of \"ports\"", .reloadable = true, .example = "80",
	  .help = "the port that clients connect to" },
	{ .path = "services.*.ports", .type = CONF_PORTS, FIELD(conf_service, ports),
	  .otherwise = "the one of \"port\"", .reloadable = true, .example = "80,443,8000-8999",
	  .help = "in place of \"port\": several ports and ranges of them, or any. Of two services of a VIP and "
		  "protocol the one that has a port by itself takes its packets, not the one with a range; "
		  "ranges of two services have no port in common. Servers get packets on the port that the "
		  "client sent to, and have no port of their own. What such a server of a nat service sends "
		  "from these ports counts as replies, so it cannot begin connections from them" },
	{ .path = "services.*.forward", .type = CONF_ENUM, FIELD(conf_service, forward), .words = forwards,
	  .required = true, .reloadable = true, .example = "nat",
	  .help = "dsr: packets keep the VIP and servers, which own it on a loopback device, answer clients "
		  "directly; nat: the server's address is put in, and replies must pass this machine; "
		  "tunnel: as dsr, but packets travel inside another to servers anywhere, which unwrap them "
		  "(tandem-decap); local: this host itself serves it, which is given the VIP on lo meanwhile" },
	{ .path = "services.*.pool", .type = CONF_REF, .kind = CONF_POOL, FIELD(conf_service, pool),
	  NOT_LOCAL, .required = true, .reloadable = true, .example = "web",
	  .help = "the servers that do the work" },
	{ .path = "services.*.idle", .type = CONF_DURATION, FIELD(conf_service, idle_ms), NOT_LOCAL, .min = 1000,
	  .max = 28800000, .otherwise = "60s for udp, 15m for others", .reloadable = true, .example = "15m",
	  .help = "a flow without a packet for so long is over: it may go to another server when the pool has "
		  "changed, and a server is drained when its last flow is over; rounded up to seconds" },
	{ .path = "services.*.track", .type = CONF_ENUM, FIELD(conf_service, track), NOT_LOCAL, .words = tracks,
	  .fallback = "changes", .reloadable = true,
	  .help = "changes: only flows that a change of the pool could touch have a record; all: every flow "
		  "has one, for exact counts at the price of a table of all flows; none (udp only): no flow has "
		  "one, each packet goes where the pool stands now, for senders that never end or wait for an "
		  "answer, such as syslog and DNS" },
	{ .path = "services.*.affinity", .type = CONF_ENUM, FIELD(conf_service, affinity), NOT_LOCAL,
	  .words = affinities, .fallback = "none", .reloadable = true,
	  .help = "none: each flow is spread by itself; client: all flows of a client's address go to one "
		  "server, also when the pool changes, as long as the server serves" },
	{ .path = "services.*.quic_id_bytes", .type = CONF_INT, FIELD(conf_service, quic_id_bytes),
	  .unit = "bytes", .min = 1, .max = CONF_QUIC_ID_MAX, .otherwise = "connection ids are not looked at",
	  .reloadable = true, .example = "2",
	  .help = "the protocol is QUIC over udp, and connection ids hold a server id of so many bytes "
		  "(\"quic_id\"): a packet goes to the server that it names, drained or not, wherever the client "
		  "sends from; one that names none, or a server that is down, goes by addresses and ports, as all "
		  "do that begin a connection" },
	{ .path = "services.*.source_rate", .type = CONF_INT, FIELD(conf_service, source_rate),
	  .unit = "packets", .min = 1, .max = 1000000000, .otherwise = "guard.source_rate",
	  .reloadable = true, .example = "10000",
	  .help = "packets that each source may send to the service in a second" },
	{ .path = "services.*.source_syn_rate", .type = CONF_INT, FIELD(conf_service, source_syn_rate),
	  .unit = "SYNs", .min = 1, .max = 1000000000, .otherwise = "guard.source_syn_rate",
	  .reloadable = true, .example = "100",
	  .help = "TCP connections that each source may begin to the service in a second" },
	{ .path = "services.*.syn_cookies", .type = CONF_ENUM, FIELD(conf_service, syn_cookies),
	  .words = syn_cookies, .fallback = "off", .reloadable = true,
	  .help = "tcp with forward nat or local: auto: while more SYNs than \"syn_threshold\" come in a second, each is "
		  "answered with a SYN cookie, and only who answers that has a connection, so that forged ones take "
		  "no room; nat: servers see no SYN of a flood, and connections begun in one go without the "
		  "client's TCP options but window scale, MSS and SACK; local: this host's own "
		  "stack gives and takes the cookies (net.ipv4.tcp_syncookies is 2 meanwhile)" },
	{ .path = "services.*.syn_threshold", .type = CONF_INT, FIELD(conf_service, syn_threshold),
	  .unit = "SYNs", .min = 0, .max = 10000000, .fallback = "10000", .reloadable = true,
	  .help = "SYNs in a second, from all clients together, that are no flood yet; counted in steps of 1.07 s; 0: "
		  "every SYN is answered with a cookie" },
	{ .path = "services.*.deny", .type = CONF_PREFIXES, FIELD(conf_service, sources.deny),
	  .otherwise = "none is denied", .reloadable = true, .example = "203.0.113.0/24",
	  .help = "sources that may not use the service; those under guard hold besides" },
	{ .path = "services.*.deny_file", .type = CONF_STRING, FIELD(conf_service, sources.deny_file),
	  .rule = conf_rule_file, .fallback = "", .otherwise = "no file", .reloadable = true,
	  .example = "/etc/tandem/deny.txt",
	  .help = "more of them, in a file like guard.deny_file" },
	{ .path = "services.*.allow", .type = CONF_PREFIXES, FIELD(conf_service, sources.allow),
	  .otherwise = "every source is allowed", .reloadable = true, .example = "198.51.100.0/24",
	  .help = "the only sources that may use the service; those under guard hold besides" },
	{ .path = "services.*.allow_file", .type = CONF_STRING, FIELD(conf_service, sources.allow_file),
	  .rule = conf_rule_file, .fallback = "", .otherwise = "no file", .reloadable = true,
	  .example = "/etc/tandem/allow.txt", .help = "more of them, in a file like guard.deny_file" },
};
/* clang-format on */

void *conf_object(const struct conf *c, enum conf_kind kind, unsigned i)
{
	char *list;

	memcpy(&list, (const char *)c + conf_kinds[kind].list, sizeof list);
	return list + i * conf_kinds[kind].size;
}

unsigned conf_count(const struct conf *c, enum conf_kind kind)
{
	unsigned n;

	memcpy(&n, (const char *)c + conf_kinds[kind].n, sizeof n);
	return n;
}

void conf_set_count(struct conf *c, enum conf_kind kind, unsigned n)
{
	memcpy((char *)c + conf_kinds[kind].n, &n, sizeof n);
}

const size_t conf_schema_size = sizeof conf_schema / sizeof *conf_schema;

const char *conf_key_word(const struct conf_key *key)
{
	const char *dot = strrchr(key->path, '.');

	return dot ? dot + 1 : key->path;
}

/* Whether the key is a member of the group with that path. */
static bool member(const struct conf_key *key, const char *group)
{
	size_t n = strlen(group);

	if (!n)
		return !strchr(key->path, '.');
	return !strncmp(key->path, group, n) && key->path[n] == '.' &&
	       conf_key_word(key) == key->path + n + 1;
}

const struct conf_key *conf_schema_find(const char *group, const char *word)
{
	for (size_t i = 0; i < conf_schema_size; i++)
		if (member(&conf_schema[i], group) && !strcmp(conf_key_word(&conf_schema[i]), word))
			return &conf_schema[i];
	return NULL;
}

void conf_schema_each(
	const char *group, void (*fn)(void *arg, const struct conf_key *key), void *arg)
{
	for (size_t i = 0; i < conf_schema_size; i++)
		if (member(&conf_schema[i], group))
			fn(arg, &conf_schema[i]);
}
