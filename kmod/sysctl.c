// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files under net.ipv4.srcroute: those of each interface, `all` and `default`,
 * and router_id.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/inet.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "datapath.h"

#define SRCROUTE_PATH	"net/ipv4/srcroute"
#define LONGEST_VALUE	32	/* octets that a written value may have */

/* Declared first: a write may register interfaces, whose files it handles. */
static int setting(srcroute_ctl_table *ctl, int write, void *buffer,
		   size_t *lenp, loff_t *ppos);

static struct ctl_table *make_table(struct srcroute_net *sn,
				    struct srcroute_conf *conf)
{
	struct ctl_table *table;
	enum srcroute_conf_key key;

	table = kcalloc(SRCROUTE_CONF_COUNT + 1, sizeof(*table),
			GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	for (key = 0; key < SRCROUTE_CONF_COUNT; key++) {
		table[key].procname = srcroute_conf_keys[key].name;
		table[key].data = &conf->value[key];
		table[key].maxlen = sizeof(conf->value[key]);
		table[key].mode = 0644;
		table[key].proc_handler = setting;
		table[key].extra1 = sn;
		table[key].extra2 = conf;
	}
	return table;
}

/* Waits for handlers of the files, so do not call it under srcroute_net.lock. */
static void del_files(struct srcroute_conf *conf)
{
	if (!conf->header)
		return;
	unregister_net_sysctl_table(conf->header);
	kfree(conf->table);
	conf->header = NULL;
	conf->table = NULL;
}

/*
 * @conf may have files already, under the name that the interface had. A rename that
 * another subsystem refuses ends with the name it began with. The kernel must not be
 * given the same directory twice: it would lose the first.
 *
 * Not to be called under srcroute_net.lock, which writers of the old files may be
 * waiting for. On -ENOMEM everything is as before.
 */
static int add_files(struct srcroute_net *sn, struct srcroute_conf *conf,
		     const char *name)
{
	char path[sizeof(SRCROUTE_PATH "/conf/") + IFNAMSIZ];
	struct ctl_table_header *header;
	struct ctl_table *table;

	if (conf->header && !strcmp(conf->name, name))
		return 0;
	table = make_table(sn, conf);
	if (!table)
		return -ENOMEM;
	snprintf(path, sizeof(path), SRCROUTE_PATH "/conf/%s", name);
	header = srcroute_register_sysctl(sn->net, path, table,
					  SRCROUTE_CONF_COUNT);
	if (!header) {
		kfree(table);
		return -ENOMEM;
	}
	del_files(conf);
	strscpy(conf->name, name, sizeof(conf->name));
	conf->table = table;
	conf->header = header;
	return 0;
}

/* conf/all and conf/default are taken; the interface keeps its settings. */
static int add_iface_files(struct srcroute_net *sn, struct srcroute_iface *iface,
			   const struct net_device *dev)
{
	if (!sysctl_dev_name_is_allowed(dev->name)) {
		if (srcroute_may_log(sn))
			netdev_warn(dev, "srcroute: no settings under this name\n");
		del_files(&iface->conf);
		return 0;
	}
	return add_files(sn, &iface->conf, dev->name);
}

/**
 * srcroute_iface_register() - keep settings, files and counters for an interface
 * @sn: the namespace
 * @dev: the interface
 *
 * Context: process context, RTNL held.
 * Return: 0 or a negative error, which leaves nothing.
 */
int srcroute_iface_register(struct srcroute_net *sn,
			    const struct net_device *dev)
{
	struct srcroute_iface *iface = srcroute_iface_add(sn, dev);
	int err;

	if (IS_ERR(iface))
		return PTR_ERR(iface);
	err = add_iface_files(sn, iface, dev);
	if (err)
		srcroute_iface_del(sn, iface);
	return err;
}

/**
 * srcroute_iface_rename() - let the files of an interface follow its name
 * @sn: the namespace
 * @dev: the interface, by its new name
 *
 * Context: process context, RTNL held.
 * Return: 0 or -ENOMEM, which leaves everything as before.
 */
int srcroute_iface_rename(struct srcroute_net *sn, const struct net_device *dev)
{
	struct srcroute_iface *iface = srcroute_iface_get(sn, dev);

	return iface ? add_iface_files(sn, iface, dev) : 0;
}

/**
 * srcroute_iface_unregister() - drop settings, files and counters of an interface
 * @sn: the namespace
 * @dev: the interface
 *
 * Context: process context, RTNL held.
 */
void srcroute_iface_unregister(struct srcroute_net *sn,
			       const struct net_device *dev)
{
	struct srcroute_iface *iface = srcroute_iface_get(sn, dev);

	if (!iface)	/* NETDEV_UNREGISTER may come more than once */
		return;
	del_files(&iface->conf);
	srcroute_iface_del(sn, iface);
}

/* Under RTNL: what is registered is also unregistered (netdev.c). */
static bool followed;

/**
 * srcroute_ifaces_follow() - may interfaces be registered by a write to a setting?
 * @on: whether the notifier is there, which unregisters them
 *
 * Context: process context, RTNL not held.
 */
void srcroute_ifaces_follow(bool on)
{
	rtnl_lock();
	followed = on;
	rtnl_unlock();
}

/*
 * Try again where there was no memory for an interface, before a setting is
 * written, so that `all` means all interfaces. Never waits for RTNL: its holder may
 * be waiting for the handler of the file to end. The system call begins anew then, and
 * while the module is loaded or unloaded, after which the file may be gone.
 */
static int register_missing(struct srcroute_net *sn)
{
	struct net_device *dev;
	int err = 0;

	if (likely(!READ_ONCE(sn->incomplete)))
		return 0;
	if (!rtnl_trylock())
		return restart_syscall();
	if (!followed) {
		rtnl_unlock();
		return restart_syscall();
	}
	for_each_netdev(sn->net, dev)
		if (!err && !srcroute_iface_get(sn, dev))
			err = srcroute_iface_register(sn, dev);
	if (!err)
		WRITE_ONCE(sn->incomplete, false);
	rtnl_unlock();
	return err;
}

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
	return register_missing(sn);
}

static int write_setting(struct srcroute_net *sn, struct srcroute_conf *conf,
			 enum srcroute_conf_key key, const void *buffer, size_t len,
			 loff_t pos)
{
	char text[LONGEST_VALUE], *word;
	u32 value;
	int err;

	err = take_text(sn, text, buffer, len, pos, &word);
	if (err)
		return err;
	if (kstrtou32(word, 0, &value) || value > srcroute_conf_keys[key].max)
		return -EINVAL;
	return srcroute_conf_write(sn, conf, key, value);
}

static int setting(srcroute_ctl_table *ctl, int write, void *buffer,
		   size_t *lenp, loff_t *ppos)
{
	struct srcroute_conf *conf = ctl->extra2;
	int err;

	if (!write)
		return proc_douintvec(ctl, write, buffer, lenp, ppos);

	err = write_setting(ctl->extra1, conf,
			    (u32 *)ctl->data - conf->value,
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
		own = srcroute_addr_is_local_anywhere(sn->net, id);
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
	err = add_files(sn, &sn->conf_all, "all");
	if (err)
		goto no_all;
	err = add_files(sn, &sn->conf_default, "default");
	if (err)
		goto no_default;
	return 0;

no_default:
	del_files(&sn->conf_all);
no_all:
	del_router_id(sn);
	return err;
}

/**
 * srcroute_sysctl_exit() - remove the files that belong to no interface
 * @sn: a namespace that is being removed
 *
 * Context: process context.
 */
void srcroute_sysctl_exit(struct srcroute_net *sn)
{
	del_files(&sn->conf_default);
	del_files(&sn->conf_all);
	del_router_id(sn);
}
