/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "apps/tandem-decap/args.h"

enum { IP4_HEADER = 20, IP6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20, MSS_LEAST = 88 };

static int fail(const struct args *a, const char *what, int rc)
{
	const char *why = rc == -EPERM	  ? "run as root"
			  : rc == -EBUSY  ? "another XDP program is on it; take that off first"
			  : rc == -ENOENT ? "this kernel has no BPF file system"
			  : rc == -E2BIG  ? "too many prefixes or addresses"
					  : strerror(-rc);

	fprintf(stderr, "tandem-decap: cannot %s %s: %s\n", what, a->device, why);
	return 1;
}

/* The addresses of this host, VIPs on lo included: tunnels may not go to those either. */
static int own_addresses(struct decap_address **out, uint32_t *n)
{
	struct ifaddrs *list, *one;
	struct decap_address *a;

	*n = 0;
	if (getifaddrs(&list))
		return -errno;
	for (one = list; one; one = one->ifa_next)
		++*n;
	a = *out = calloc(*n + 1u, sizeof *a);
	for (one = list; a && one; one = one->ifa_next) {
		if (!one->ifa_addr || (one->ifa_addr->sa_family != AF_INET &&
					      one->ifa_addr->sa_family != AF_INET6))
			continue;
		a->is6 = one->ifa_addr->sa_family == AF_INET6;
		if (a->is6)
			memcpy(a->words, &((struct sockaddr_in6 *)(void *)one->ifa_addr)->sin6_addr,
				16);
		else
			memcpy(a->words, &((struct sockaddr_in *)(void *)one->ifa_addr)->sin_addr,
				4);
		a++;
	}
	freeifaddrs(list);
	*n = a ? (uint32_t)(a - *out) : 0;
	return a ? 0 : -ENOMEM;
}

static int device_mtu(const char *device)
{
	struct ifreq r = { 0 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (s < 0)
		return -errno;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", device);
	rc = ioctl(s, SIOCGIFMTU, &r) ? -errno : r.ifr_mtu;
	close(s);
	return rc;
}

/* Bytes that the largest tunnels put before a packet. */
static int around(const struct args *a)
{
	int most = IP4_HEADER;

	for (uint32_t i = 0; i < a->n_from; i++)
		if (a->from[i].address.is6)
			most = IP6_HEADER;
	return most + (a->gue_port ? UDP_HEADER : 0);
}

static uint16_t fitting(int mtu, int headers)
{
	int mss = (mtu > UINT16_MAX ? UINT16_MAX : mtu) - headers;

	return (uint16_t)(mss < MSS_LEAST ? MSS_LEAST : mss);
}

static int attach(const struct args *a, uint32_t ifindex)
{
	struct decap_address *locals = NULL;
	struct decap_plan plan = { .from = a->from, .vips = a->vips };
	int mtu = device_mtu(a->device);
	int rc = mtu < 0 ? mtu : own_addresses(&locals, &plan.n_locals);
	bool native;

	plan.n_from = a->n_from;
	plan.n_vips = a->n_vips;
	plan.locals = locals;
	plan.settings.gue_port = a->gue_port;
	plan.settings.mss4 = a->mss ? a->mss : fitting(mtu, around(a) + IP4_HEADER + TCP_HEADER);
	plan.settings.mss6 = a->mss ? a->mss : fitting(mtu, around(a) + IP6_HEADER + TCP_HEADER);
	if (!rc)
		rc = decap_attach(a->run_dir, ifindex, &plan, &native);
	free(locals);
	if (rc)
		return fail(a, "unwrap tunnels on", rc);
	if (!native)
		fprintf(stderr,
			"tandem-decap: %s: generic mode, which is slow: its driver has no "
			"native XDP\n",
			a->device);
	return 0;
}

static const char *text(const struct decap_address *a, char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(a->is6 ? AF_INET6 : AF_INET, a->words, buf, INET6_ADDRSTRLEN);
}

static int status(const struct args *a, uint32_t ifindex)
{
	static const char *const names[] = {
#define X(symbol, name, help) name,
		DECAP_COUNTERS(X)
#undef X
	};
	char buf[INET6_ADDRSTRLEN];
	struct decap_status s;
	int rc = decap_status(a->run_dir, ifindex, &s);

	if (rc == -ENOENT) {
		fprintf(stderr, "tandem-decap: %s: not in effect\n", a->device);
		return 1;
	}
	if (rc)
		return fail(a, "read the state of", rc);
	printf("mode %s\n", s.native ? "native" : "generic");
	for (uint32_t i = 0; i < s.n_from; i++)
		printf("from %s/%u\n", text(&s.from[i].address, buf), s.from[i].plen);
	for (uint32_t i = 0; i < s.n_vips; i++)
		printf("vip %s\n", text(&s.vips[i], buf));
	if (s.settings.gue_port)
		printf("gue %u\n", s.settings.gue_port);
	printf("mss4 %u\nmss6 %u\n", s.settings.mss4, s.settings.mss6);
	for (int i = 0; i < DECAP_COUNTERS_MAX; i++)
		printf("%s %" PRIu64 "\n", names[i], s.counters[i]);
	decap_status_free(&s);
	return 0;
}

static int detach(const struct args *a, uint32_t ifindex)
{
	int rc = decap_detach(a->run_dir, ifindex);

	if (rc == -ENOENT) {
		fprintf(stderr, "tandem-decap: %s: not in effect\n", a->device);
		return 1;
	}
	return rc ? fail(a, "leave", rc) : 0;
}

static int run(const struct args *a)
{
	uint32_t ifindex = if_nametoindex(a->device);

	if (!ifindex) {
		fprintf(stderr, "tandem-decap: this host has no interface %s\n", a->device);
		return 1;
	}
	switch (a->action) {
	case ARGS_DETACH:
		return detach(a, ifindex);
	case ARGS_STATUS:
		return status(a, ifindex);
	default:
		return attach(a, ifindex);
	}
}

int main(int argc, char **argv)
{
	struct args a;
	int rc = args_parse(&a, argc, argv) ? 2 : 0;

	if (!rc && a.action == ARGS_HELP)
		args_help();
	else if (!rc && a.action == ARGS_VERSION)
		puts("tandem-decap " TANDEM_VERSION);
	else if (!rc)
		rc = run(&a);
	args_free(&a);
	return rc;
}
