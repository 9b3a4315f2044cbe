// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files under net.ipv4.srcroute.
 */
#include <linux/capability.h>
#include <linux/inet.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "srcroute.h"

#define SRCROUTE_PATH	"net/ipv4/srcroute"
#define LONGEST_VALUE	32	/* octets that a written value may have */

/*
 * The kernel's parsers take "1 2" for 1 and go on where a partial write ended.
 * A setting that decides what a stranger may do to a router takes a value or
 * nothing. The permission check of sysctl lets global root write without
 * CAP_NET_ADMIN, so the capability is asked for here.
 */
static int take_text(struct srcroute_net *sn, char *text, const void *buffer,
		     size_t len, loff_t pos, char **value)
{
	if (!ns_capable(sn->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (pos || len >= LONGEST_VALUE || memchr(buffer, '\0', len))
		return -EINVAL;
	memcpy(text, buffer, len);
	text[len] = '\0';
	*value = strim(text);
	return srcroute_interfaces_complete(sn);
}

static int write_setting(struct srcroute_net *sn, struct srcroute_policy *policy,
			 enum srcroute_key key, const void *buffer, size_t len,
			 loff_t pos)
{
	char text[LONGEST_VALUE], *word;
	u32 value;
	int err;

	err = take_text(sn, text, buffer, len, pos, &word);
	if (err)
		return err;
	if (kstrtou32(word, 0, &value) || value > srcroute_keys[key].max)
		return -EINVAL;
	return srcroute_policy_write(sn, policy, key, value);
}

static int setting(srcroute_ctl_table *ctl, int write, void *buffer,
		   size_t *lenp, loff_t *ppos)
{
	struct srcroute_policy *policy = ctl->extra2;
	int err;

	if (!write)
		return proc_douintvec(ctl, write, buffer, lenp, ppos);

	err = write_setting(ctl->extra1, policy,
			    (u32 *)ctl->data - policy->value,
			    buffer, *lenp, *ppos);
	if (!err)
		*ppos += *lenp;
	return err;
}

static int write_router_id(struct srcroute_net *sn, const void *buffer,
			   size_t len, loff_t pos)
{
	char text[LONGEST_VALUE], *word;
	const char *end;
	bool own = true;
	__be32 id;
	int err;

	err = take_text(sn, text, buffer, len, pos, &word);
	if (err)
		return err;
	if (!in4_pton(word, -1, (u8 *)&id, -1, &end) || *end)
		return -EINVAL;

	rcu_read_lock();
	if (id)
		own = srcroute_is_own_anywhere(sn->net, id);
	rcu_read_unlock();
	if (!own)
		return -EINVAL;
	WRITE_ONCE(sn->router_id, id);
	return 0;
}

static int router_id(srcroute_ctl_table *ctl, int write, void *buffer,
		     size_t *lenp, loff_t *ppos)
{
	struct srcroute_net *sn = ctl->extra1;
	char text[sizeof("255.255.255.255")];
	struct ctl_table shown = { .data = text, .maxlen = sizeof(text) };
	__be32 id = READ_ONCE(sn->router_id);
	int err;

	if (!write) {
		snprintf(text, sizeof(text), "%pI4", &id);
		return proc_dostring(&shown, write, buffer, lenp, ppos);
	}
	err = write_router_id(sn, buffer, *lenp, *ppos);
	if (!err)
		*ppos += *lenp;
	return err;
}

static struct ctl_table *make_table(struct srcroute_net *sn,
				    struct srcroute_policy *policy)
{
	struct ctl_table *table;
	enum srcroute_key key;

	table = kcalloc(SRCROUTE_KEY_COUNT + 1, sizeof(*table),
			GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	for (key = 0; key < SRCROUTE_KEY_COUNT; key++) {
		table[key].procname = srcroute_keys[key].name;
		table[key].data = &policy->value[key];
		table[key].maxlen = sizeof(policy->value[key]);
		table[key].mode = 0644;
		table[key].proc_handler = setting;
		table[key].extra1 = sn;
		table[key].extra2 = policy;
	}
	return table;
}

/**
 * srcroute_sysctl_add() - make the files of an interface, `all` or `default`
 * @sn: the namespace
 * @policy: what the files show; files that it has under another name go
 * @name: of the directory
 *
 * A rename that another subsystem refuses ends with the name it began with. The
 * kernel must not be given the same directory twice: it would lose the first.
 *
 * Context: process context; not under srcroute_net.lock, which writers of the
 *	    old files may be waiting for.
 * Return: 0; on -ENOMEM everything is as before.
 */
int srcroute_sysctl_add(struct srcroute_net *sn, struct srcroute_policy *policy,
			const char *name)
{
	char path[sizeof(SRCROUTE_PATH "/conf/") + IFNAMSIZ];
	struct ctl_table_header *header;
	struct ctl_table *table;

	if (policy->header && !strcmp(policy->name, name))
		return 0;
	table = make_table(sn, policy);
	if (!table)
		return -ENOMEM;
	snprintf(path, sizeof(path), SRCROUTE_PATH "/conf/%s", name);
	header = srcroute_register_sysctl(sn->net, path, table,
					  SRCROUTE_KEY_COUNT);
	if (!header) {
		kfree(table);
		return -ENOMEM;
	}
	srcroute_sysctl_del(policy);
	strscpy(policy->name, name, sizeof(policy->name));
	policy->table = table;
	policy->header = header;
	return 0;
}

/**
 * srcroute_sysctl_del() - remove the files of an interface, `all` or `default`
 * @policy: what they show; it may have none
 *
 * Context: process context; waits for whoever is at the files, so not under
 *	    srcroute_net.lock.
 */
void srcroute_sysctl_del(struct srcroute_policy *policy)
{
	if (!policy->header)
		return;
	unregister_net_sysctl_table(policy->header);
	kfree(policy->table);
	policy->header = NULL;
	policy->table = NULL;
}

static int add_router_id(struct srcroute_net *sn)
{
	sn->table = kcalloc(2, sizeof(*sn->table), GFP_KERNEL_ACCOUNT);
	if (!sn->table)
		return -ENOMEM;
	sn->table->procname = "router_id";
	sn->table->mode = 0644;
	sn->table->proc_handler = router_id;
	sn->table->extra1 = sn;

	sn->header = srcroute_register_sysctl(sn->net, SRCROUTE_PATH,
					      sn->table, 1);
	if (!sn->header) {
		kfree(sn->table);
		return -ENOMEM;
	}
	return 0;
}

static void del_router_id(struct srcroute_net *sn)
{
	unregister_net_sysctl_table(sn->header);
	kfree(sn->table);
}

/**
 * srcroute_sysctl_init() - make the files that belong to no interface
 * @sn: a new namespace
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int srcroute_sysctl_init(struct srcroute_net *sn)
{
	int err;

	err = add_router_id(sn);
	if (err)
		return err;
	err = srcroute_sysctl_add(sn, &sn->all, "all");
	if (err)
		goto no_all;
	err = srcroute_sysctl_add(sn, &sn->initial, "default");
	if (err)
		goto no_default;
	return 0;

no_default:
	srcroute_sysctl_del(&sn->all);
no_all:
	del_router_id(sn);
	return err;
}

/**
 * srcroute_sysctl_exit() - remove the files that belong to no interface
 * @sn: a namespace on its way out
 *
 * Context: process context.
 */
void srcroute_sysctl_exit(struct srcroute_net *sn)
{
	srcroute_sysctl_del(&sn->initial);
	srcroute_sysctl_del(&sn->all);
	del_router_id(sn);
}
