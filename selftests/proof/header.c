// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/header.c, for a datagram of any octets and lengths, linear or not: it gives
 * out nothing but sound headers, all of them where they are now, and changes no
 * octet. contracts.c has what the hooks rely on.
 */
#include "proof.h"

/* Of a datagram that is routed; that it was not is put back. */
static bool make_room(struct sk_buff *skb, struct srcroute_header *h)
{
	unsigned long refdst = skb->_skb_refdst;
	bool made;

	skb->_skb_refdst = PROOF_INPUT;
	made = srcroute_header_make_room(skb, h);
	skb->_skb_refdst = refdst;
	return made;
}

static void read(struct sk_buff *skb)
{
	struct srcroute_header h;

	if (!srcroute_header_read(skb, &h)) {
		reach(!proof.taken);
		return;
	}
	reach(h.options_len == 40);
	prove(proof_is_fresh(skb, &h), "it is a look at the header as it is");
	prove(h.iph->version == 4, "its version is 4");
	prove(h.options_len <= SRR_OPTIONS_MAX &&
	      h.options_len == h.iph->ihl * 4 - sizeof(*h.iph),
	      "its length is what it says");
	prove(sizeof(*h.iph) + h.options_len <= skb->len, "all of it is there");
	if (nondet_bool() ? !srcroute_header_make_writable(skb, &h) :
			    !make_room(skb, &h))
		return;
	reach(h.options_len == 4);
	prove(proof_is_fresh(skb, &h), "it is a look at where it may be written");
	prove(__CPROVER_w_ok(h.iph, sizeof(*h.iph) + h.options_len),
	      "it may be written");
}

static void read_quote(const struct sk_buff *skb)
{
	struct srcroute_quote quote;

	if (!srcroute_quote_read(skb, nondet_u8(), &quote))
		return;
	reach(quote.options_len == 40);
	prove(quote.iph.version == 4 && quote.iph.ihl >= 5, "a quote is sound");
	prove(quote.options_len == quote.iph.ihl * 4 - sizeof(quote.iph),
	      "its length is what it says");
}

void main(void)
{
	struct sk_buff *skb = proof_datagram();

	if (srcroute_is_plain(skb))
		return;
	if (nondet_bool())
		srcroute_may_have_route(skb);
	else if (nondet_bool())
		read_quote(skb);
	else
		read(skb);
	prove(!proof.taken, "it is not freed");
	prove(proof_is_unchanged(), "it is not changed");
}
