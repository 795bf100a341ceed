/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of this network namespace, by rtnetlink: looking at them, and changing them. */
#pragma once
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum { NETDEV_KIND = 16 };

struct netdev {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	char kind[NETDEV_KIND]; /* of a software device, as ip-link(8) has it; else "" */
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t flags;	      /* IFF_... */
	uint32_t master;      /* ifindex of the bond, bridge, ... that it is a part of, or 0 */
	uint32_t lower;	      /* ifindex of the device that it is on, or 0 */
	uint32_t xdp_program; /* id of the XDP program that is attached, or 0 */
	bool lower_elsewhere; /* what it is on is in another network namespace */
	bool ethernet;
	bool carrier;
};

/* Read one. Return 0; -ENODEV: there is none; or another negative errno. Other names than the first (altname) do not count. */
int netdev_by_index(uint32_t ifindex, struct netdev *out);
int netdev_by_name(const char *name, struct netdev *out);

/* Calls fn for each, until it returns false. Returns 0 or a negative errno. */
int netdev_each(bool (*fn)(void *arg, const struct netdev *d), void *arg);

/* The device of this network namespace that it stands on, as a VLAN does, or 0. The two ends of a pair name each other, and stand on
 * nothing. */
uint32_t netdev_lower(const struct netdev *d);

/* Whether the device has a qdisc for filters (clsact, or ingress). Returns 1 or 0, or a negative errno. */
int netdev_has_clsact(uint32_t ifindex);

/* Each returns 0 or a negative errno. A device that is up is not renamed by all kernels. */
int netdev_rename(uint32_t ifindex, const char *name);
/* Sets those of the flags that are in mask. */
int netdev_set_flags(uint32_t ifindex, uint32_t flags, uint32_t mask);
int netdev_set_mtu(uint32_t ifindex, uint32_t mtu);
/* How many packets may wait in it. */
int netdev_set_queue(uint32_t ifindex, uint32_t packets);
/* Gives a device that has its carrier from programs one, or takes it: a tap has none that nobody is attached to. */
int netdev_set_carrier(uint32_t ifindex, bool on);
int netdev_set_mac(uint32_t ifindex, const uint8_t mac[6]);
/* How the kernel makes IPv6 link-local addresses (IN6_ADDR_GEN_MODE_...), from the next time on that it does: the sysctl of that
 * name makes one at once. */
int netdev_set_gen_mode(uint32_t ifindex, uint8_t mode);
/* Removes it; one that is not there is no error. */
int netdev_delete(uint32_t ifindex);
