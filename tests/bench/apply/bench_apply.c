/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a change of one server takes to reach the packets of a large site: tools/bench apply. From the call
 * that the API makes, through state file, snapshot and publishing, until a packet that the attached program is
 * given by hand meets another server. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>
#include "bpf/tandem.skel.h"
#include "controlplane/base/log.h"
#include "controlplane/engine/xdp.h"
#include "controlplane/pools/site.h"
#include "dataplane/l4/wire.h"

enum { SERVICES = 10000, POOLS = 2500, POOL_SERVERS = 4, ROUNDS = 21, QUICK_ROUNDS = 5 };
enum { LIMIT_MS = 50, FRONT = 11, FRAME = 60 };

struct bench {
	char dir[32], config[64];
	struct event_base *base;
	struct site *site;
	uint16_t client_port; /* of the flow in hand */
	uint8_t met[6];	      /* MAC address of the server that its last packet was sent to */
};

/* An interface whose link all servers are on; two of them answer. */
static int make_host(struct err *e)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return err_set(
			e, -errno, "cannot make namespaces (run as root): %s", strerror(errno));
	/* NOLINTNEXTLINE(cert-env33-c): own words */
	if (system("ip link add front index 11 address 02:00:00:00:0f:01 type veth peer name far && "
		   "ip link set front up && ip link set far up && "
		   "ip address add 10.255.255.254/8 dev front && "
		   "for i in 1 2 3 4; do ip neighbour add 10.0.0.$i lladdr 02:01:00:00:00:0$i "
		   "dev front nud permanent || exit; done"))
		return err_set(e, -EIO, "cannot make the interface");
	return 0;
}

static void write_config(FILE *out)
{
	fputs("node = \"bench\";\n"
	      "limits: { services = 16384; pools = 4096; servers = 16384; ring_slots = 2097152; };\n"
	      "interfaces: { front: {}; };\n"
	      "vips: { web: { address = \"192.0.2.10\"; interface = \"front\"; }; };\n"
	      "pools: {\n",
		out);
	for (unsigned i = 0, at = 1; i < POOLS; i++) {
		fprintf(out, "\tp%u: { servers: {\n", i);
		for (unsigned k = 0; k < POOL_SERVERS; k++, at++)
			fprintf(out, "\t\ts%u: { address = \"10.0.%u.%u\"; };\n", k, at >> 8,
				at & 255);
		fputs("\t}; };\n", out);
	}
	fputs("};\nservices: {\n", out);
	for (unsigned i = 0; i < SERVICES; i++)
		fprintf(out,
			"\ts%u: { vip = \"web\"; port = %u; forward = \"dsr\"; pool = \"p%u\"; };\n",
			i, i + 1, i % POOLS);
	fputs("};\n", out);
}

static int open_site(struct bench *b, struct err *e)
{
	struct site_options o = {
		.config_path = b->config, .run_dir = b->dir, .state_dir = b->dir
	};
	struct diags d = { 0 };
	FILE *out;
	int rc;

	strcpy(b->dir, "/tmp/tandem-bench-XXXXXX");
	if (!mkdtemp(b->dir))
		return err_set(e, -errno, "cannot make a directory in /tmp: %s", strerror(errno));
	snprintf(b->config, sizeof b->config, "%s/tandem.conf", b->dir);
	out = fopen(b->config, "w");
	if (!out)
		return err_set(e, -errno, "cannot write %s: %s", b->config, strerror(errno));
	write_config(out);
	fclose(out);
	b->base = event_base_new();
	rc = site_new(&b->site, b->base, &o, &d, e);
	diags_free(&d);
	return rc ? rc : site_start(b->site, e);
}

static void close_site(struct bench *b)
{
	static const char *const files[] = { "state.json", "wanted.json", "seen.json" };
	struct err e;

	if (b->site && site_detach(b->site, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	site_free(b->site);
	if (b->base)
		event_base_free(b->base);
	if (!*b->dir)
		return;
	unlink(b->config);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(b->config, sizeof b->config, "%s/%s", b->dir, files[i]);
		unlink(b->config);
	}
	snprintf(b->config, sizeof b->config, "%s/bpf", b->dir);
	rmdir(b->config);
	rmdir(b->dir);
}

/* Sends a SYN of the flow in hand to the first service, whose pool holds the four servers that answer. */
static int send_packet(struct bench *b, struct err *e)
{
	const struct tandem_bpf *bpf = engine_bpf(site_engine(b->site));
	uint8_t frame[FRAME] = { 2, 0, 0, 0, 0x0f, 1, 2, 0, 0, 0, 0, 0xfe, 8, 0 }, out[256];
	struct l4_ip4 ip = {
		.version_ihl = 0x45, .total_len = L4_BE16(FRAME - 14), .ttl = 64, .protocol = 6
	};
	struct l4_tcp tcp = {
		.sport = htons(b->client_port), .dport = htons(1), .offset = 0x50, .flags = 2
	};
	struct xdp_md ctx = { .data_end = FRAME, .ingress_ifindex = FRONT };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = FRAME,
		.data_out = out, .data_size_out = sizeof out, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = 1);
	int rc;

	ip.src = htonl(0x0b000001);
	ip.dst = htonl(0xc000020a);
	memcpy(frame + 14, &ip, sizeof ip);
	memcpy(frame + 34, &tcp, sizeof tcp);
	rc = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.tandem_xdp), &opts);
	if (rc)
		return err_set(e, rc, "cannot run the program: %s", strerror(-rc));
	if (opts.retval != XDP_TX)
		return err_set(
			e, -EPROTO, "a packet was not sent to a server: action %u", opts.retval);
	memcpy(b->met, out, sizeof b->met);
	return 0;
}

static bool met_first(const struct bench *b)
{
	return b->met[5] == 1;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int set_first(struct bench *b, enum server_wanted wanted, struct err *e)
{
	return site_server_set(b->site, 0, wanted, -1, "bench", "", e);
}

/* A new flow that the first server serves; the server fails its flows; another serves it. */
static int run_round(struct bench *b, double *ms, struct err *e)
{
	double start;
	int rc;

	do {
		b->client_port++;
		rc = send_packet(b, e);
	} while (!rc && !met_first(b));
	start = now_ms();
	if (!rc)
		rc = set_first(b, SERVER_MAINT, e);
	while (!rc && met_first(b))
		rc = send_packet(b, e);
	*ms = now_ms() - start;
	return rc ? rc : set_first(b, SERVER_READY, e);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int print(double *ms, unsigned n, bool json)
{
	bool ok;

	qsort(ms, n, sizeof *ms, compare);
	ok = ms[n / 2] <= LIMIT_MS;
	if (json)
		printf("{\"case\": \"apply-10k\", \"ms\": %.2f, \"min\": %.2f, \"max\": %.2f, \"limit\": %d, "
		       "\"ok\": %s}\n",
			ms[n / 2], ms[0], ms[n - 1], LIMIT_MS, ok ? "true" : "false");
	else
		printf("%-18s %6s %6s %6s %6s\n%-18s %6.2f %6.2f %6.2f %6d  %s\n", "case", "ms",
			"min", "max", "limit", "apply-10k", ms[n / 2], ms[0], ms[n - 1], LIMIT_MS,
			ok ? "ok" : "MISSED");
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	double ms[ROUNDS];
	unsigned rounds = ROUNDS;
	struct bench b = { 0 };
	bool json = false;
	struct err e;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			json = true;
		} else if (!strcmp(argv[i], "--quick")) {
			rounds = QUICK_ROUNDS;
		} else {
			fprintf(stderr, "usage: bench_apply [--json] [--quick]\n");
			return 2;
		}
	}
	log_set_level(LOG_LEVEL_ERROR);
	rc = make_host(&e);
	if (!rc)
		rc = open_site(&b, &e);
	for (unsigned i = 0; i < rounds && !rc; i++)
		rc = run_round(&b, &ms[i], &e);
	if (rc) {
		fprintf(stderr, "%s\n", e.text);
		rc = 3;
	} else {
		rc = print(ms, rounds, json);
	}
	close_site(&b);
	return rc;
}
