/* SPDX-License-Identifier: BSD-2-Clause */
/* Method, path and host are written into requests: what could end a line or a word there is refused. */
#include "controlplane/conf/rules.h"
#include <fnmatch.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "controlplane/conf/conf.h"
#include "controlplane/conf/words.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

static bool sized(const char *text, size_t most)
{
	size_t n = strlen(text);

	return n > 0 && n <= most;
}

static bool only(const char *text, const char *set)
{
	return text[strspn(text, set)] == '\0';
}

static bool visible(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

const char *conf_rule_node(const char *text)
{
	if (!sized(text, 63) || !only(text, LETTERS DIGITS "-._"))
		return "be 1 to 63 letters, digits, \"-\", \".\" or \"_\"";
	return NULL;
}

/* As the kernel's dev_valid_name(), and no wildcard of its own ("%d"). */
const char *conf_rule_device(const char *text)
{
	if (!sized(text, IF_NAMESIZE - 1))
		return "be the kernel's name of a network device: 1 to 15 characters";
	if (!strcmp(text, ".") || !strcmp(text, "..") || !visible(text) || strpbrk(text, "/:%"))
		return "be the kernel's name of a network device: "
		       "visible ASCII characters without \"/\", \":\" and \"%\"";
	return NULL;
}

#define HEX	      "[0-9a-f]"
#define HOST_PCI      HEX HEX HEX HEX ":" HEX HEX ":[01]" HEX ".[0-7]"
#define PORT_MAX      255
#define PORT_NAME_MAX 63 /* RTE_DEV_NAME_MAX_LEN */

bool conf_port_is_pci(const char *port)
{
	return !fnmatch(HOST_PCI, port, 0);
}

/* "KEY=VALUE", up to a comma or the end. */
static bool is_argument(const char *text)
{
	size_t key = strspn(text, LETTERS DIGITS "-_");

	return key > 0 && text[key] == '=' && strcspn(text + key + 1, ",") > 0;
}

static bool is_virtual(const char *text)
{
	size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "_");

	if (*text < 'a' || *text > 'z' || !sized(text, PORT_MAX) || name > PORT_NAME_MAX ||
		!visible(text))
		return false;
	for (text += name; *text == ','; text += 1 + strcspn(text + 1, ","))
		if (!is_argument(text + 1))
			return false;
	return *text == '\0';
}

const char *conf_rule_port(const char *text)
{
	if (conf_port_is_pci(text) || is_virtual(text))
		return NULL;
	if (strpbrk(text, ":.") && only(text, LETTERS DIGITS ":."))
		return "be a whole PCI address in small letters, DDDD:BB:DD.F, such as "
		       "\"0000:3b:00.0\" (lspci -D lists them)";
	return "be the PCI address of a card, such as \"0000:3b:00.0\" (lspci -D lists them), or "
	       "a virtual device of DPDK and its arguments, such as "
	       "\"net_memif0,socket=/run/m.sock\"";
}

const char *conf_rule_file(const char *text)
{
	if (*text && (*text != '/' || strlen(text) > 4000))
		return "be the absolute path of a file";
	return NULL;
}

const char *conf_rule_group(const char *text)
{
	if (strlen(text) > 32 || !only(text, LETTERS DIGITS "-._"))
		return "be the name of a user group: at most 32 letters, digits, \"-\", \".\" "
		       "or \"_\"";
	return NULL;
}

const char *conf_rule_path(const char *text)
{
	if (*text != '/')
		return "begin with \"/\"";
	if (!sized(text, 1024))
		return "be at most 1024 characters long";
	if (!visible(text) || strchr(text, '#'))
		return "hold visible ASCII characters only, without blanks and \"#\"; "
		       "write others as %XX";
	return NULL;
}

/* RFC 9110, section 7.2: a name or an address, and a port after a colon. */
const char *conf_rule_host(const char *text)
{
	if (strlen(text) > 261 || !only(text, LETTERS DIGITS "-._:[]"))
		return "be a host name, such as \"www.example.com\": at most 261 letters, "
		       "digits, "
		       "\"-\", \".\", or a port after \":\"";
	return NULL;
}

const char *conf_rule_body(const char *text)
{
	const char *end = text + strlen(text);

	if (end - text > 1024)
		return "be at most 1024 bytes long";
	for (size_t n; text < end; text += n) {
		n = conf_utf8(text, end);
		if (!n)
			return "be UTF-8 text";
	}
	return NULL;
}
