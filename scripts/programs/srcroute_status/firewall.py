# SPDX-License-Identifier: GPL-2.0-only
"""Rules of nftables that drop source routes, among them those of iptables-nft.

A rule counts that drops or rejects and asks for an option, for a header with options,
or for what is untracked, whatever else it asks for; and a chain of FORWARD that drops
what no rule accepts.
"""

import json
import subprocess

_HOOKS = ("ingress", "prerouting", "forward", "postrouting", "egress")
_FAMILIES = ("ip", "inet", "netdev", "bridge")
_LEGACY = "/proc/net/ip_tables_names"


def _parts(value):
    """All that an expression consists of: (key, value)."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key, one
            yield from _parts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _parts(one)


def _asks_for(expressions):
    """What a rule asks for that tells source routes from others, or ""."""
    for one in expressions:
        for key, value in _parts(one):
            if not isinstance(value, dict):
                continue
            if key == "ip option" and value.get("name") in ("lsrr", "ssrr"):
                return "IP option %s, which nft finds while its pointer is 4" % \
                    value["name"]
            if key == "payload" and value.get("field") == "hdrlength":
                return "the length of the header"
            if key == "xt" and value.get("name") == "ipv4options":
                return "IP options"
        left = one.get("match", {}).get("left", {}) if isinstance(one, dict) else {}
        if isinstance(left, dict) and left.get("ct", {}).get("key") == "state" and \
                "untracked" in json.dumps(one["match"].get("right")):
            return "what is untracked"
    return ""


class Ruleset:
    """What `nft -j list ruleset` has printed."""

    def __init__(self, document):
        self._chains, self._rules = [], {}
        for item in document.get("nftables", ()):
            if "chain" in item:
                self._chains.append(item["chain"])
            elif "rule" in item:
                rule = item["rule"]
                self._rules.setdefault(self._name(rule, rule["chain"]), []).append(rule)

    @staticmethod
    def _name(item, chain):
        return item["family"], item["table"], chain

    def drops(self):
        """[(chain, what drops)], in the order of the ruleset."""
        found = []
        for chain in self._chains:
            if chain.get("hook") not in _HOOKS or chain["family"] not in _FAMILIES:
                continue
            name = self._name(chain, chain["name"])
            drops, accepts = self._look(name, "", ())
            found += drops
            if chain.get("policy") == "drop" and chain["hook"] == "forward" and \
                    not accepts:
                found.append((" ".join(name), "drops what no rule accepts, and no rule "
                              "accepts what is untracked, as source routes with "
                              "addresses to go are"))
        return found

    def _look(self, name, inherited, path):
        """([(chain, what drops)], is there a rule that accepts source routes?)"""
        found, accepts = [], False
        if name in path:
            return found, accepts
        for rule in self._rules.get(name, ()):
            expressions = rule.get("expr", [])
            asked = _asks_for(expressions) or inherited
            parts = list(_parts(expressions))
            verdicts = {key for key, _ in parts}
            targets = [value["target"] for key, value in parts
                       if key in ("jump", "goto")]
            for target in targets:
                more, also = self._look(self._name(rule, target), asked, path + (name,))
                found += more
                accepts = accepts or also
            if asked and verdicts & {"drop", "reject"}:
                found.append((" ".join(name), "rule %s drops by %s" % (
                    rule.get("handle", "?"), asked)))
            # A rule without any question accepts all that comes to it.
            accepts = accepts or "accept" in verdicts and (
                bool(asked) or not verdicts & {"match", "vmap", "xt"})
        return found, accepts


def drops(system):
    """Of this network namespace; what cannot be read is noted."""
    what = "rules of nftables"
    if system.read(_LEGACY):
        system.note("rules of iptables-legacy", "only nftables is looked at")
    try:
        done = subprocess.run(["nft", "-j", "list", "ruleset"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, check=False)
        if done.returncode:
            lines = done.stderr.strip().split("\n")
            system.note(what, "nft: " + lines[0])
            return []
        return Ruleset(json.loads(done.stdout or "{}")).drops()
    except FileNotFoundError:
        system.note(what, "nft is not installed")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        system.note(what, "nft: %s" % error)
    return []
