/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/addr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int addr_parse(const char *text, struct addr *out)
{
	struct addr a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.af = 4;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.af = 6;
	else
		return -EINVAL;
	*out = a;
	return 0;
}

int addr_parse_prefix(const char *text, struct addr *out, uint8_t *plen)
{
	char host[ADDR_TEXT], *end;
	const char *slash = strchr(text, '/');
	struct addr a;
	unsigned long n;

	if (!slash || (size_t)(slash - text) >= sizeof host || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	n = strtoul(slash + 1, &end, 10);
	if (*end || addr_parse(host, &a) || n > 8 * addr_size(&a))
		return -EINVAL;
	*out = a;
	*plen = (uint8_t)n;
	return 0;
}

const char *addr_text(const struct addr *a, char *buf)
{
	if (!a->af) {
		memcpy(buf, "none", sizeof "none");
		return buf;
	}
	inet_ntop(a->af == 4 ? AF_INET : AF_INET6, a->bytes, buf, ADDR_TEXT);
	return buf;
}

size_t addr_size(const struct addr *a)
{
	return a->af == 4 ? 4 : a->af == 6 ? 16 : 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->af != b->af)
		return a->af < b->af ? -1 : 1;
	return memcmp(a->bytes, b->bytes, addr_size(a));
}

bool addr_in_prefix(const struct addr *a, const struct addr *net, uint8_t plen)
{
	unsigned whole = plen / 8, rest = plen % 8;

	if (a->af != net->af || plen > 8 * addr_size(a) || memcmp(a->bytes, net->bytes, whole) != 0)
		return false;
	return !rest || !((a->bytes[whole] ^ net->bytes[whole]) >> (8 - rest));
}

struct addr addr_network(const struct addr *a, uint8_t plen)
{
	struct addr net = *a;

	for (unsigned i = 0; i < addr_size(a); i++)
		if (plen < 8 * (i + 1))
			net.bytes[i] &= (uint8_t)(plen <= 8 * i ? 0 : 0xff << (8 - plen % 8));
	return net;
}

bool addr_is_unicast(const struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t zero[16];

	if (a->af == 4)
		return a->bytes[0] != 0 && a->bytes[0] < 224;
	return a->af == 6 && memcmp(a->bytes, zero, 16) != 0 && a->bytes[0] != 0xff &&
	       memcmp(a->bytes, mapped, 12) != 0;
}
