/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/attributes.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int host_attributes_read(const void *bytes, size_t len, struct host_attributes *out)
{
	const struct nlattr *attr = bytes;
	long left = (long)len;

	*out = (struct host_attributes){ 0 };
	while (left > 0) {
		uint16_t type;

		if (!mnl_attr_ok(attr, (int)left))
			return -EBADMSG;
		type = mnl_attr_get_type(attr);
		if (type < HOST_ATTRIBUTE_TYPES)
			out->of[type] = attr;
		left -= MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
	return 0;
}

int host_attributes_of(const struct nlmsghdr *nlh, size_t header, struct host_attributes *out)
{
	size_t len, skip = MNL_ALIGN(header);

	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + header)
		return -EBADMSG;
	len = mnl_nlmsg_get_payload_len(nlh);
	return host_attributes_read(
		mnl_nlmsg_get_payload_offset(nlh, header), len > skip ? len - skip : 0, out);
}

int host_attribute_u32(const struct nlattr *attr, uint32_t *out)
{
	if (!attr)
		return 0;
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return -EBADMSG;
	*out = mnl_attr_get_u32(attr);
	return 0;
}

int host_addr_from(int af, const void *bytes, size_t len, struct addr *out)
{
	struct addr a = { .af = af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0 };

	if (!a.af || len != addr_size(&a))
		return -EBADMSG;
	memcpy(a.bytes, bytes, len);
	*out = a;
	return 0;
}

int host_attribute_addr(const struct nlattr *attr, int af, struct addr *out)
{
	if (!attr)
		return 0;
	return host_addr_from(af, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), out);
}

void host_attribute_mac(const struct nlattr *attr, uint8_t out[6])
{
	if (attr && mnl_attr_get_payload_len(attr) == 6)
		memcpy(out, mnl_attr_get_payload(attr), 6);
}
