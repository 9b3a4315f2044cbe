# SPDX-License-Identifier: GPL-2.0-only
"""A stand-in for containerlab and `docker exec`, as far as docs/containerlab/ needs them:
nodes are network namespaces, with FRR of this machine in those that have a list of its
daemons. What is in the topology file beyond what this knows is refused, not ignored.

    clab.py containerlab deploy|destroy -t FILE
    clab.py docker exec NODE COMMAND [ARG...]

For a guest of scripts/bed/vm, as root.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys

import yaml

HOME = "/run/clab"
DAEMONS = "/etc/frr/daemons"
# In a node: files of the machine are replaced in a mount namespace of its own. Of FRR those
# daemons are started that the lab needs, without the watchdog, which gives up where an
# emulator is slow.
START = """
hostname "$1"
for bind in $2; do
	mount --bind "${bind%%%%:*}" "${bind#*:}" || exit
done
if [ -n "$3" ]; then
	mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/frr &&
		chown frr:frr /run/frr && . %s || exit
	[ "$ospfd $vtysh_enable" = "yes yes" ] &&
		/usr/lib/frr/zebra -d $zebra_options &&
		/usr/lib/frr/ospfd -d $ospfd_options && vtysh -b || exit
fi
echo started >&3
exec 3>&-
exec sleep infinity
""" % DAEMONS


class Topology:
    """A topology file."""

    def __init__(self, path):
        self.folder = os.path.dirname(os.path.abspath(path))
        with open(path) as file:
            data = yaml.safe_load(file)
        self.name = data.pop("name")
        topology = data.pop("topology")
        self.defaults = topology.pop("defaults")
        self.nodes = {name: self._node(name, node or {})
                      for name, node in topology.pop("nodes").items()}
        self.links = [self._link(link) for link in topology.pop("links")]
        if data or topology:
            raise ValueError("unknown: %s %s" % (data, topology))

    def _node(self, name, given):
        """What is said of a node comes before what is said of all; sysctls add up."""
        node = {**self.defaults, **given}
        if node.pop("kind") != "linux" or node.pop("network-mode") != "none" or \
                not node.pop("image"):
            raise ValueError(name)
        found = {"sysctls": {**self.defaults.get("sysctls", {}), **node.pop("sysctls", {})},
                 "exec": node.pop("exec", []), "binds": {}}
        for bind in node.pop("binds", []):
            source, place, _ = bind.replace("__clabNodeName__", name).split(":")
            found["binds"][place] = os.path.join(self.folder, source)
        if node:
            raise ValueError("unknown: %s" % node)
        return found

    @staticmethod
    def _link(link):
        (one, first), (other, second) = (end.split(":") for end in link.pop("endpoints"))
        if link:
            raise ValueError("unknown: %s" % link)
        return one, first, other, second

    def namespace(self, node):
        return "clab-%s-%s" % (self.name, node)


def run(*words):
    subprocess.run(words, check=True)


def inside(namespace, words):
    """The command that runs another one in a node."""
    with open(os.path.join(HOME, namespace)) as file:
        return ["nsenter", "--target", file.read(), "--mount", "--uts", "--net",
                "--root", *words]


def start(topology, name, node):
    """Returns where it says that it has started."""
    namespace = topology.namespace(name)
    run("ip", "netns", "add", namespace)
    run("ip", "netns", "exec", namespace, "ip", "link", "set", "lo", "up")
    if node["sysctls"]:
        run("ip", "netns", "exec", namespace, "sysctl", "-qw",
            *["%s=%s" % item for item in node["sysctls"].items()])
    there, here = os.pipe()
    with open(os.path.join(HOME, namespace + ".log"), "w") as log:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, "unshare", "--mount", "--uts", "bash", "-c",
             'exec 3>&"$0" && ' + START, str(here), name,
             " ".join("%s:%s" % (source, place) for place, source in node["binds"].items()),
             "frr" if DAEMONS in node["binds"] else ""],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[here],
            start_new_session=True)
    os.close(here)
    with open(os.path.join(HOME, namespace), "w") as file:
        file.write(str(process.pid))
    return there


def deploy(topology):
    os.makedirs(HOME)
    waiting = {name: start(topology, name, node) for name, node in topology.nodes.items()}
    for one, first, other, second in topology.links:
        run("ip", "link", "add", first, "netns", topology.namespace(one), "type", "veth",
            "peer", "name", second, "netns", topology.namespace(other))
        for node, port in (one, first), (other, second):
            run("ip", "netns", "exec", topology.namespace(node), "ip", "link", "set", port,
                "up")
    for name, there in waiting.items():
        with os.fdopen(there) as file:
            if file.readline() != "started\n":  # or the end of all that it has started
                with open(os.path.join(HOME, topology.namespace(name) + ".log")) as log:
                    sys.exit("%s: %s" % (name, log.read()))
    for name, node in topology.nodes.items():
        for line in node["exec"]:
            run(*inside(topology.namespace(name), shlex.split(line)))


def destroy(topology):
    for name in topology.nodes:
        namespace = topology.namespace(name)
        done = subprocess.run(["ip", "netns", "pids", namespace], text=True, check=True,
                              stdout=subprocess.PIPE)
        for pid in done.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "del", namespace)
    shutil.rmtree(HOME)


def main():
    program, command, *words = sys.argv[1:]
    if program == "docker" and command == "exec":
        words = inside(words[0], words[1:])
        os.execvp(words[0], words)
    option, path = words
    if program != "containerlab" or option != "-t":
        sys.exit("clab.py: %s" % " ".join(sys.argv[1:]))
    {"deploy": deploy, "destroy": destroy}[command](Topology(path))


if __name__ == "__main__":
    main()
