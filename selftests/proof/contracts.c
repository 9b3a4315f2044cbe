// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the proofs of the hooks know of the other files, and of the option engine:
 * their contracts. That these keep them is proved apart: of the files by header.c,
 * refuse.c, route.c and address.c in this directory, of the engine by
 * scripts/check/proof (include/srcroute/option-acsl.h).
 */
#include "proof.h"

#define AREA_LEN	(HEADER - sizeof(struct iphdr))

static void look(struct sk_buff *skb, struct srcroute_header *h)
{
	h->iph = ip_hdr(skb);
	h->options = (u8 *)(h->iph + 1);
	h->options_len = AREA_LEN;
}

bool srcroute_header_read(struct sk_buff *skb, struct srcroute_header *h)
{
	proof_move(skb);
	if (nondet_bool())
		return false;
	suppose(skb->len >= HEADER && ip_hdr(skb)->version == 4 &&
		ip_hdrlen(skb) == HEADER);
	look(skb, h);
	return true;
}

bool srcroute_header_make_writable(struct sk_buff *skb,
				   struct srcroute_header *h)
{
	prove(h->options_len == AREA_LEN, "it is a header that was read");
	proof_move(skb);
	if (nondet_bool()) {
		proof.unwritable = true;
		return false;
	}
	look(skb, h);
	return true;
}

bool srcroute_quote_read(const struct sk_buff *skb, unsigned int offset,
			 struct srcroute_quote *quote)
{
	struct srcroute_quote any;

	prove(__CPROVER_w_ok(quote, sizeof(*quote)), "a quote has its room");
	*quote = any;
	suppose(quote->iph.version == 4 && quote->iph.ihl >= 5);
	quote->options_len = quote->iph.ihl * 4 - sizeof(struct iphdr);
	return nondet_bool();
}

static bool is_sound(const u8 *option, unsigned int room, const struct srr *srr)
{
	return srr->len <= room && srr->len == option[1] &&
	       srr->ptr == option[2] && srr->len >= 3 && srr->len % 4 == 3 &&
	       srr->ptr >= 4 && srr->ptr % 4 == 0;
}

enum srr_verdict srr_parse(const u8 *options, unsigned int options_len,
			   struct srr *srr)
{
	enum srr_verdict verdict = SRR_NONE;
	struct srr any;

	prove(options_len <= SRR_OPTIONS_MAX, "the engine is given an option area");
	prove(__CPROVER_r_ok(options, options_len), "all of the area may be read");
	*srr = any;
	if (nondet_bool())
		return verdict;
	verdict = nondet_bool() ? SRR_VALID : SRR_FAULT;
	suppose(srr->off < options_len && srr->fault < options_len);
	suppose(srr->type == options[srr->off] &&
		(srr->type == SRR_LSRR || srr->type == SRR_SSRR));
	if (verdict == SRR_VALID || !srr->route_at_fault) {
		suppose(options_len - srr->off >= 3);
		suppose(is_sound(options + srr->off, options_len - srr->off, srr));
#if defined(PROVES_JUDGE) || defined(PROVES_REWRITE)
		proof.route.at = sizeof(struct iphdr) + srr->off;
		proof.route.len = srr->len;
		proof.route.ptr = srr->ptr;
#endif
	}
	return verdict;
}

const u8 *srr_recorded(const u8 *options, const struct srr *srr, unsigned int *n)
{
	prove(__CPROVER_r_ok(options, srr->off + srr->len),
	      "all of the route may be read");
	prove(is_sound(options + srr->off, SRR_OPTIONS_MAX - srr->off, srr),
	      "the engine is given a sound route");
	*n = nondet_u32();
	suppose(*n <= SRR_SLOTS_MAX && 3 + 4 * *n <= srr->len);
	return options + srr->off + 3;
}

unsigned int srr_reverse(const u8 *options, const struct srr *srr, u8 *route)
{
	unsigned int n;

	srr_recorded(options, srr, &n);
	prove(__CPROVER_w_ok(route, 4 * SRR_SLOTS_MAX),
	      "there is room for the way back");
	return n;
}

void srr_complete(u8 *option)
{
	prove(option[1] >= 3 && option[1] % 4 == 3 && option[2] >= 4 &&
	      option[2] % 4 == 0, "the engine is given a sound route");
	option[2] = option[1] + 1;
}

#ifndef PROVES_ADDRESS

/* What tables say is anything, of any address. */
bool srcroute_addr_is_local(struct net *net, const struct net_device *dev,
			    __be32 addr)
{
	return nondet_bool();
}

bool srcroute_addr_is_unicast_host(struct net *net,
				   const struct net_device *dev, __be32 addr)
{
	return nondet_bool();
}

bool srcroute_addr_is_local_anywhere(struct net *net, __be32 addr)
{
	return nondet_bool();
}

#endif /* PROVES_ADDRESS */

#ifndef PROVES_ROUTE

/* They leave the metadata of a tunnel where the packet says. */
void srcroute_metadata_take(struct srcroute_packet *p)
{
	prove(skb_dst(p->skb) && !skb_valid_dst(p->skb), "there are metadata");
	p->metadata = p->skb->_skb_refdst;
	p->skb->_skb_refdst = 0;
}

void srcroute_metadata_show(const struct srcroute_packet *p)
{
	skb_dst_drop(p->skb);
	p->skb->_skb_refdst = p->metadata | SKB_DST_NOREF;
}

bool srcroute_route_is_transit(const struct srcroute_packet *p, __be32 daddr)
{
	prove(proof_is_fresh(p->skb, &p->h), "it is a look at the header as it is");
	return nondet_bool();
}

bool srcroute_has_host_route(const struct srcroute_packet *p, __be32 addr)
{
	prove(proof_is_fresh(p->skb, &p->h), "it is a look at the header as it is");
	return nondet_bool();
}

bool srcroute_route_error_is_local(const struct srcroute_packet *p,
				   enum srcroute_outcome outcome, __be32 daddr)
{
	prove(proof_is_fresh(p->skb, &p->h), "it is a look at the header as it is");
	prove(skb_valid_dst(p->skb), "there is a route to be looked at");
	return nondet_bool();
}

#endif /* PROVES_ROUTE */

#ifdef PROVES_JUDGE

static unsigned int forward(struct srcroute_packet *p,
			    enum srcroute_outcome outcome)
{
	prove(proof_is_fresh(p->skb, &p->h), "it is a look at the header as it is");
	prove(p->verdict == SRR_VALID, "what is forwarded has a sound route");
	prove(skb_valid_dst(p->skb), "what is forwarded is routed");
	prove(proof_is_compiled(p->skb), "its options are compiled, or empty");
	prove(p->srr.only_option || p->received,
	      "what other options were is known");
	srcroute_count(p->iface, outcome);
	proof.forwarded++;
	proof_take(p->skb);
	return NF_STOLEN;
}

unsigned int srcroute_forward_hit(struct srcroute_packet *p, __be32 next,
				  unsigned int ptr, __be32 on_link)
{
	prove(!srr_is_complete(&p->srr), "a hit has addresses to go");
	prove(ptr >= p->srr.ptr && ptr + 3 <= p->srr.len && ptr % 4 == 0,
	      "the address taken is one of those to go");
	return forward(p, SRCROUTE_HOP);
}

unsigned int srcroute_forward_transit(struct srcroute_packet *p)
{
	return forward(p, SRCROUTE_TRANSIT);
}

#endif /* PROVES_JUDGE */

#ifndef PROVES_REFUSE

/* A look that is stale, or a route that is none, would be used for the error. */
static unsigned int end(struct srcroute_packet *p, enum srcroute_outcome outcome)
{
	srcroute_count(p->iface, outcome);
	proof_take(p->skb);
	return NF_STOLEN;
}

static unsigned int end_with_error(struct srcroute_packet *p,
				   enum srcroute_outcome outcome)
{
	prove(proof_is_fresh(p->skb, &p->h), "it is a look at the header as it is");
	prove(outcome > SRCROUTE_LOCAL && outcome < SRCROUTE_OUTCOME_COUNT,
	      "it is a reason to refuse");
	return end(p, outcome);
}

unsigned int srcroute_discard(struct srcroute_packet *p,
			      enum srcroute_outcome outcome)
{
	return end(p, outcome);
}

unsigned int srcroute_unroutable(struct srcroute_packet *p, int err)
{
	return end(p, err == -ENOBUFS ? SRCROUTE_NO_MEMORY :
					SRCROUTE_BAD_SOURCE);
}

unsigned int srcroute_refuse(struct srcroute_packet *p,
			     enum srcroute_outcome outcome, unsigned int pointer)
{
	return end_with_error(p, outcome);
}

unsigned int srcroute_ignore(struct srcroute_packet *p,
			     enum srcroute_outcome outcome)
{
	return end_with_error(p, outcome);
}

unsigned int srcroute_unreachable(struct srcroute_packet *p)
{
	prove(skb_valid_dst(p->skb), "a route says why there is none");
	return end_with_error(p, SRCROUTE_NO_ROUTE);
}

#endif /* PROVES_REFUSE */
