// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/refuse.c, for every owned datagram: it is freed once and counted once,
 * whatever the ICMP error does to it.
 */
#include "proof.h"

void main(void)
{
	struct sk_buff *skb = proof_datagram();
	enum srcroute_outcome outcome = nondet_u8();
	struct srcroute_received received;
	struct srcroute_packet p;
	unsigned int verdict;

	suppose(skb->_skb_refdst == PROOF_NONE ||
		skb->_skb_refdst == PROOF_INPUT);
	suppose(outcome > SRCROUTE_LOCAL && outcome < SRCROUTE_OUTCOME_COUNT);
	proof_own(&p, skb);
	p.metadata = nondet_bool() ? PROOF_METADATA : 0;
	p.verdict = srr_parse(p.h.options, p.h.options_len, &p.srr);
	suppose(p.verdict != SRR_NONE);
	suppose(p.action >= SRCROUTE_FORWARD && p.action <= SRCROUTE_REJECT);
	p.received = nondet_bool() ? &received : NULL;
	/* Compiling leaves the source route as it is. */
	if (p.verdict == SRR_VALID || !p.srr.route_at_fault)
		suppose(received.options[p.srr.off + 1] == p.srr.len &&
			received.options[p.srr.off + 2] == p.srr.ptr);
	/* Only judge_local() makes it a hit. */
	suppose(!p.hit || p.verdict == SRR_VALID || !p.srr.route_at_fault);
	switch (nondet_u8() % 5) {
	case 0:
		verdict = srcroute_discard(&p, outcome);
		break;
	case 1:
		verdict = srcroute_unroutable(&p, nondet_int());
		break;
	case 2:
		verdict = srcroute_refuse(&p, outcome, nondet_u8());
		break;
	case 3:
		suppose(skb_valid_dst(skb));
		verdict = srcroute_unreachable(&p);
		break;
	default:
		verdict = srcroute_ignore(&p, outcome);
	}
	reach(proof.answered);
	reach(!proof.answered);
	prove(verdict == NF_STOLEN, "the verdict is NF_STOLEN");
	prove(proof.taken == 1, "it is freed once");
	prove(proof_counted() == 1, "it is counted once");
	prove(proof.answered <= 1, "its source is told once at most");
}
