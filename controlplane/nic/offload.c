/* SPDX-License-Identifier: BSD-2-Clause */
/* The ioctl SIOCETHTOOL, since what is to be known is little: the number of features, their names, their bits. */
#include "controlplane/nic/offload.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FEATURES = 256, BLOCK_BITS = 32, MAX_BLOCKS = MAX_FEATURES / BLOCK_BITS };

/* A feature of a device: which of how many. */
struct place {
	int socket;
	const char *device;
	unsigned index, n;
};

static int ask(const struct place *p, void *command)
{
	struct ifreq r = { .ifr_data = command };

	if ((size_t)snprintf(r.ifr_name, sizeof r.ifr_name, "%s", p->device) >= sizeof r.ifr_name)
		return -ENODEV;
	return ioctl(p->socket, SIOCETHTOOL, &r) < 0 ? -errno : 0; /* above 0: what was not done */
}

static int count_features(struct place *p)
{
	struct ethtool_sset_info *c = calloc(1, sizeof *c + sizeof c->data[0]);
	int rc;

	if (!c)
		return -ENOMEM;
	c->cmd = ETHTOOL_GSSET_INFO;
	c->sset_mask = 1ULL << ETH_SS_FEATURES;
	rc = ask(p, c);
	p->n = c->sset_mask ? c->data[0] : 0;
	free(c);
	if (rc)
		return rc;
	return p->n && p->n <= MAX_FEATURES ? 0 : -EOPNOTSUPP;
}

static int find_feature(struct place *p, const char *feature)
{
	struct ethtool_gstrings *names = calloc(1, sizeof *names + MAX_FEATURES * ETH_GSTRING_LEN);
	int rc;

	if (!names)
		return -ENOMEM;
	*names = (struct ethtool_gstrings){
		.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = p->n
	};
	rc = ask(p, names);
	if (!rc)
		rc = -ENOENT;
	for (unsigned i = 0; i < p->n && rc == -ENOENT; i++) {
		if (strncmp((const char *)names->data + (size_t)i * ETH_GSTRING_LEN, feature,
			    ETH_GSTRING_LEN) != 0)
			continue;
		p->index = i;
		rc = 0;
	}
	free(names);
	return rc;
}

/* On success the place has a socket, to be closed. */
static int find(struct place *p, const char *device, const char *feature)
{
	int rc;

	*p = (struct place){ .device = device };
	p->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p->socket < 0)
		return -errno;
	rc = count_features(p);
	if (!rc)
		rc = find_feature(p, feature);
	if (rc)
		close(p->socket);
	return rc;
}

static int is_on(const struct place *p)
{
	struct ethtool_gfeatures *get =
		calloc(1, sizeof *get + MAX_BLOCKS * sizeof get->features[0]);
	bool on;
	int rc;

	if (!get)
		return -ENOMEM;
	get->cmd = ETHTOOL_GFEATURES;
	get->size = MAX_BLOCKS;
	rc = ask(p, get);
	on = get->features[p->index / BLOCK_BITS].active >> p->index % BLOCK_BITS & 1;
	free(get);
	return rc ? rc : on;
}

static int turn(const struct place *p, bool on)
{
	struct ethtool_sfeatures *set =
		calloc(1, sizeof *set + MAX_BLOCKS * sizeof set->features[0]);
	struct ethtool_set_features_block *block;
	int rc;

	if (!set)
		return -ENOMEM;
	set->cmd = ETHTOOL_SFEATURES;
	set->size = (p->n + BLOCK_BITS - 1) / BLOCK_BITS;
	block = &set->features[p->index / BLOCK_BITS];
	block->valid = 1U << p->index % BLOCK_BITS;
	block->requested = on ? block->valid : 0;
	rc = ask(p, set);
	free(set);
	return rc;
}

int offload_get(const char *device, const char *feature)
{
	struct place p;
	int rc = find(&p, device, feature);

	if (rc)
		return rc == -ENOENT || rc == -EOPNOTSUPP ? 0 : rc;
	rc = is_on(&p);
	close(p.socket);
	return rc;
}

int offload_set(const char *device, const char *feature, bool on)
{
	struct place p;
	int rc = find(&p, device, feature);

	if (rc)
		return rc == -ENOENT ? -EOPNOTSUPP : rc;
	rc = turn(&p, on);
	if (!rc && is_on(&p) != on)
		rc = -EOPNOTSUPP;
	close(p.socket);
	return rc;
}
