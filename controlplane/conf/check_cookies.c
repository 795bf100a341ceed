/* SPDX-License-Identifier: BSD-2-Clause */
/* SYN cookies need both ways of a connection: the one who sent a cookie has to see what comes back, and either translate
 * the server's answers or be the server. */
#include <netinet/in.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

static void tell_protocol(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_spot(t, CONF_SERVICE, service, "syn_cookies"),
		"service \"%.63s\" has \"syn_cookies\", but only tcp has SYNs, and its protocol is "
		"\"%s\"; remove \"syn_cookies\"",
		s->name, conf_protocol_name(s->protocol));
}

static void tell_forward(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_spot(t, CONF_SERVICE, service, "syn_cookies"),
		"service \"%.63s\" has \"syn_cookies\" and forward = \"%s\", but servers' replies do not "
		"come back through this machine, which could not go on with what a cookie began; remove "
		"\"syn_cookies\" (a flood takes no established flow's record, and servers may use SYN "
		"cookies of their own), or use nat",
		s->name, s->forward == CONF_FORWARD_TUNNEL ? "tunnel" : "dsr");
}

static void check_service(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];

	if (conf_tree_bad(t, CONF_SERVICE, service, "protocol"))
		return;
	if (s->protocol != IPPROTO_TCP)
		tell_protocol(t, service);
	else if (conf_tree_sure(t, CONF_SERVICE, service, "forward") &&
		 s->forward != CONF_FORWARD_NAT && s->forward != CONF_FORWARD_LOCAL)
		tell_forward(t, service);
}

/* Whoever says "off" may keep the number for when it is on again. */
static void check_unused(struct conf_tree *t, unsigned service)
{
	if (!conf_tree_setting(t, CONF_SERVICE, service, "syn_threshold") ||
		conf_tree_setting(t, CONF_SERVICE, service, "syn_cookies"))
		return;
	diags_add(t->diags, DIAG_WARNING, t->text,
		conf_tree_spot(t, CONF_SERVICE, service, "syn_threshold"),
		"\"syn_threshold\" of service \"%.63s\" counts for nothing without syn_cookies = \"auto\"",
		t->conf->services[service].name);
}

int conf_check_cookies(struct conf_tree *t)
{
	for (unsigned i = 0; i < t->conf->n_services; i++)
		if (t->conf->services[i].syn_cookies == CONF_SYN_COOKIES_AUTO)
			check_service(t, i);
		else
			check_unused(t, i);
	return 0;
}
