/* SPDX-License-Identifier: BSD-2-Clause */
/* An IP address of either family, as the control plane holds it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* af is 4, 6, or 0 for "none"; bytes are in network order, the first 4 of 16 used for IPv4, the rest
 * zero, so that two addresses are equal when their memory is. */
struct addr {
	uint8_t af;
	uint8_t bytes[16];
};

#define ADDR_TEXT 46 /* bytes of the longest text of an address, its NUL included */

/* Reads an IPv4 dotted quad or an IPv6 address (RFC 4291, section 2.2) from text.
 * Returns 0, or -EINVAL and leaves *out alone. */
int addr_parse(const char *text, struct addr *out);

/* Reads "ADDRESS/LENGTH"; the length is at most 32 or 128. Returns 0 or -EINVAL. */
int addr_parse_prefix(const char *text, struct addr *out, uint8_t *plen);

/* Writes a's text (RFC 5952 for IPv6; "none" when af is 0) into buf, which holds at least ADDR_TEXT
 * bytes, and returns buf. */
const char *addr_text(const struct addr *a, char *buf);

/* How many bytes an address of a's family has: 4, 16 or 0. */
size_t addr_size(const struct addr *a);

bool addr_equal(const struct addr *a, const struct addr *b);

/* Orders addresses for sorting and searching: by family, then by bytes. Returns <0, 0 or >0. */
int addr_compare(const struct addr *a, const struct addr *b);

/* Whether a lies in net/plen; addresses of other families never do. */
bool addr_in_prefix(const struct addr *a, const struct addr *net, uint8_t plen);

/* a with all bits behind the first plen zero. */
struct addr addr_network(const struct addr *a, uint8_t plen);

/* True for addresses that a host may own and be reached at: not unspecified, multicast, limited
 * broadcast, or an IPv4-mapped IPv6 address. */
bool addr_is_unicast(const struct addr *a);
