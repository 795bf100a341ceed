/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes of a netlink message, found by type and read with their lengths checked. */
#pragma once
#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>
#include "controlplane/base/addr.h"

enum { HOST_ATTRIBUTE_TYPES = 64 }; /* types from here on are not looked at */

struct host_attributes {
	const struct nlattr *of[HOST_ATTRIBUTE_TYPES]; /* NULL: not there */
};

/* Finds the attributes in len bytes. Returns 0, or -EBADMSG when one is cut off or too short. */
int host_attributes_read(const void *bytes, size_t len, struct host_attributes *out);

/* The same for all that follows the `header` bytes of family header in a message; also -EBADMSG
 * when the message is shorter than that. */
int host_attributes_of(const struct nlmsghdr *nlh, size_t header, struct host_attributes *out);

/* Each reads one attribute into *out and returns 0, or -EBADMSG for a wrong length. Without the
 * attribute (NULL) they return 0 and leave *out alone. */
int host_attribute_u32(const struct nlattr *attr, uint32_t *out);
/* af is AF_INET or AF_INET6; other families are -EBADMSG. */
int host_attribute_addr(const struct nlattr *attr, int af, struct addr *out);
/* Addresses of other link types (not 6 bytes) are left out as if there were none. */
void host_attribute_mac(const struct nlattr *attr, uint8_t out[6]);

/* Makes an address of a family and its bytes. Returns 0, or -EBADMSG when they do not fit each
 * other. */
int host_addr_from(int af, const void *bytes, size_t len, struct addr *out);
