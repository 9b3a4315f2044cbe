// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings and counters: those of each interface, `all` and `default`.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "control.h"

/* Of the data of a namespace, among those that the kernel keeps for it. */
unsigned int srcroute_net_id;

/* Of the lines of all namespaces that belong to a user namespace of their own. */
DEFINE_RATELIMIT_STATE(srcroute_log_of_users, DEFAULT_RATELIMIT_INTERVAL,
		       DEFAULT_RATELIMIT_BURST);

const struct srcroute_conf_key_info srcroute_conf_keys[] = {
	[SRCROUTE_CONF_LSRR]		= { "lsrr", 3, SRCROUTE_OFF },
	[SRCROUTE_CONF_SSRR]		= { "ssrr", 3, SRCROUTE_OFF },
	[SRCROUTE_CONF_NONLOCAL]	= { "nonlocal", 1, 1 },
	[SRCROUTE_CONF_REVISIT]		= { "revisit", 1, 1 },
	[SRCROUTE_CONF_REVERSE_ERRORS]	= { "reverse_errors", 1, 0 },
	[SRCROUTE_CONF_MARK]		= { "mark", U32_MAX, 0 },
};

static bool is_active(const struct srcroute_conf *conf)
{
	return conf->value[SRCROUTE_CONF_LSRR] || conf->value[SRCROUTE_CONF_SSRR];
}

static void unregister_hooks_if_idle(struct srcroute_net *sn)
{
	if (!sn->nr_active)
		srcroute_hooks_unregister(sn);
}

static void write_iface(struct srcroute_net *sn, struct srcroute_conf *conf,
			enum srcroute_conf_key key, u32 value)
{
	sn->nr_active -= is_active(conf);
	WRITE_ONCE(conf->value[key], value);
	sn->nr_active += is_active(conf);
}

static void write_all(struct srcroute_net *sn, enum srcroute_conf_key key,
		      u32 value)
{
	struct srcroute_iface *iface;
	int bucket;

	WRITE_ONCE(sn->conf_all.value[key], value);
	WRITE_ONCE(sn->conf_default.value[key], value);
	hash_for_each(sn->ifaces, bucket, iface, node)
		write_iface(sn, &iface->conf, key, value);
}

/**
 * srcroute_conf_write() - change a setting
 * @sn: the namespace
 * @conf: those of an interface, &srcroute_net.conf_all or
 *	  &srcroute_net.conf_default
 * @key: the setting
 * @value: its new value, in range
 *
 * Hooks are in place before a value can need them, so a failure changes
 * nothing.
 *
 * Context: process context; takes srcroute_net.lock.
 * Return: 0, -ENOMEM if hooks could not be registered, -ENODEV if the
 *	   namespace is being removed.
 */
int srcroute_conf_write(struct srcroute_net *sn, struct srcroute_conf *conf,
			enum srcroute_conf_key key, u32 value)
{
	int err = 0;

	mutex_lock(&sn->lock);
	if ((key == SRCROUTE_CONF_LSRR || key == SRCROUTE_CONF_SSRR) && value &&
	    conf != &sn->conf_default)
		err = srcroute_hooks_register(sn);
	if (err)
		goto unlock;

	if (conf == &sn->conf_all)
		write_all(sn, key, value);
	else if (conf == &sn->conf_default)
		WRITE_ONCE(conf->value[key], value);
	else
		write_iface(sn, conf, key, value);
	unregister_hooks_if_idle(sn);
unlock:
	mutex_unlock(&sn->lock);
	return err;
}

static void init_conf(struct srcroute_conf *conf)
{
	enum srcroute_conf_key key;

	for (key = 0; key < SRCROUTE_CONF_COUNT; key++)
		conf->value[key] = srcroute_conf_keys[key].initial;
}

/**
 * srcroute_conf_init() - give the settings of a namespace their defaults
 * @sn: a new namespace, zeroed
 */
void srcroute_conf_init(struct srcroute_net *sn)
{
	hash_init(sn->ifaces);
	init_conf(&sn->conf_all);
	init_conf(&sn->conf_default);
}

static void free_iface(struct srcroute_iface *iface)
{
	free_percpu(iface->cpu);
	kfree(iface);
}

static void free_iface_rcu(struct rcu_head *rcu)
{
	free_iface(container_of(rcu, struct srcroute_iface, rcu));
}

static struct srcroute_iface *alloc_iface(const struct net_device *dev)
{
	struct srcroute_iface *iface = kzalloc(sizeof(*iface),
					       GFP_KERNEL_ACCOUNT);

	if (!iface)
		return NULL;
	iface->dev = dev;
	iface->cpu = alloc_percpu_gfp(struct srcroute_cpu, GFP_KERNEL_ACCOUNT);
	if (!iface->cpu) {
		kfree(iface);
		return NULL;
	}
	return iface;
}

static int insert_iface(struct srcroute_net *sn, struct srcroute_iface *iface)
{
	int err = 0;

	mutex_lock(&sn->lock);
	memcpy(iface->conf.value, sn->conf_default.value,
	       sizeof(iface->conf.value));
	if (is_active(&iface->conf)) {
		err = srcroute_hooks_register(sn);
		if (err)
			goto unlock;
		sn->nr_active++;
	}
	hash_add_rcu(sn->ifaces, &iface->node, iface->dev->ifindex);
unlock:
	mutex_unlock(&sn->lock);
	return err;
}

/**
 * srcroute_iface_add() - keep settings and counters for an interface
 * @sn: the namespace
 * @dev: the interface
 *
 * It starts with what conf/default says at this moment.
 *
 * Context: process context, RTNL held; takes srcroute_net.lock.
 * Return: them, or a negative error by ERR_PTR().
 */
struct srcroute_iface *srcroute_iface_add(struct srcroute_net *sn,
					  const struct net_device *dev)
{
	struct srcroute_iface *iface = alloc_iface(dev);
	int err;

	if (!iface)
		return ERR_PTR(-ENOMEM);
	err = insert_iface(sn, iface);
	if (err) {
		free_iface(iface);
		return ERR_PTR(err);
	}
	return iface;
}

/**
 * srcroute_iface_del() - drop the settings and counters of an interface
 * @sn: the namespace
 * @iface: them; freed once no datagram and no reader uses them
 *
 * Context: process context, RTNL held; takes srcroute_net.lock.
 */
void srcroute_iface_del(struct srcroute_net *sn, struct srcroute_iface *iface)
{
	mutex_lock(&sn->lock);
	hash_del_rcu(&iface->node);
	sn->nr_active -= is_active(&iface->conf);
	unregister_hooks_if_idle(sn);
	mutex_unlock(&sn->lock);
	call_rcu(&iface->rcu, free_iface_rcu);
}

/**
 * srcroute_iface_wait() - wait until all that srcroute_iface_del() drops is freed
 *
 * To be called before the code of the module goes.
 *
 * Context: process context.
 */
void srcroute_iface_wait(void)
{
	rcu_barrier();
}
