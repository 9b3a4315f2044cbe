# SPDX-License-Identifier: GPL-2.0-only
"""A copy of the scripts of the test bed, with a mirror and a make of the tests' own:
what they do when the mirror does not answer, the disk is full, or they are killed.

Bed.home/mirror/ has a folder for each place that package lists are kept in: a suite, or
"apt" for scripts/bed/foreign-root. A file Bed.home/hang-PROGRAM lets the program of that
name wait there for its end, when it has done a part of its work.
"""

import os
import shutil
import subprocess
import tempfile
import time

from lib.ktap import check, cleanup

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))

# $BED/done has a line for each thing that was downloaded or configured.
HEAD = """\
#!/bin/sh
hang()
{
	[ ! -e "$BED/hang-$1" ] || { touch "$BED/reached"; exec /bin/sleep 60; }
}
"""

APT = HEAD + """\
words= state= archives=. last=
for word; do
	case $last$word in
	-o*Dir::State=*)	state=${word#*=} ;;
	-o*Dir::Etc::sourcelist=*)	sources=${word#*=} ;;
	-o*Dir::Cache::archives=*)	archives=${word#*=} ;;
	esac
	[ "$last" = -o ] || case $word in -*) ;; *) words="$words $word" ;; esac
	last=$word
done
set -- $words
command=$1
shift
debs=$BED/mirror/${state##*/}
case $command in
indextargets)
	echo 'http://mirror.invalid/debian stable'
	echo 'http://mirror.invalid/security stable-security' ;;
update)
	if grep -q '[^ ]-security main' "$sources"; then
		echo 'E: Failed to fetch http://mirror.invalid/s  404  Security' >&2
		exit 100
	fi
	[ ! -e "$BED/down" ] || {
		echo 'Err:1 http://mirror.invalid/debian x InRelease'
		echo 'E: Failed to fetch http://mirror.invalid/x  404  Not Found' >&2
		exit 100
	}
	echo 'Reading package lists...' ;;
pkgnames)
	cd "$debs" 2>/dev/null && ls | sed -n "s/^\\($1[^_]*\\)_.*/\\1/p" ;;
show)
	deb=$(echo "$debs/$1"_*.deb)
	[ -e "$deb" ] || exit 100
	dpkg-deb -f "$deb"
	echo "Size: $(stat -c %s "$deb")" ;;
download|install)
	[ $command = download ] && archives=. || set -- $(cd "$debs" && ls |
		sed -n '/^linux/!s/_.*//p')
	for name; do
		for deb in "$debs/${name%%:*}"_*.deb; do
			[ ! -e "$archives/${deb##*/}" ] || continue
			cp "$deb" "$archives/" || {
				echo "E: Failed to fetch $name  Error writing to" \\
					'file - write (28: No space left on device)'
				exit 100
			}
			echo "${deb##*/}" >>"$BED/done"
			hang apt-get
		done
	done ;;
esac
"""

DEBOOTSTRAP = HEAD + """\
while case $1 in --*) ;; *) false ;; esac; do
	case $1 in
	--cache-dir=*)	cache=${1#*=} ;;
	esac
	shift
done
root=$2
cache=${cache:-$root}
mkdir -p "$root/var/lib/dpkg" "$root/etc/apt"
[ ! -e "$BED/down" ] || {
	echo "E: Failed getting release file http://mirror.invalid/Release"
	exit 1
}
for deb in one two; do
	[ -e "$cache/$deb" ] || {
		echo $deb >"$cache/$deb"
		echo $deb >>"$BED/done"
	}
	hang debootstrap
done
head -c 200000 /dev/zero >"$root/data" || exit
for name in make sparse perl python3 gcc flex bison bc libelf-dev kmod xz-utils; do
	printf 'Package: %s\\nStatus: install ok installed\\n' $name
	printf 'Version: 1\\nArchitecture: all\\nMaintainer: x <x@y>\\n'
	printf 'Description: x\\n\\n'
done >"$root/var/lib/dpkg/status"
"""

MAKE = HEAD + """\
for word; do
	case $word in
	O=*)	into=${word#O=} ;;
	KCONFIG_ALLCONFIG=*)	wanted=${word#*=} ;;
	esac
done
cd "${into:-$BED}" || exit
case $word in
allnoconfig)
	echo configured >>"$BED/done"
	grep '=' "$wanted" >.config ;;
modules_install)
	mkdir -p root/lib ;;
*)	if [ -e one.o ]; then
		echo kept >>"$BED/done"
	fi
	echo '  CC      one.o'
	echo >one.o
	hang make
	[ ! -e "$BED/broken" ] || {
		echo 'two.c:1:2: error: no such thing'
		echo 'make: *** [Makefile:1: sub-make] Error 2'
		exit 2
	}
	head -c 200000 /dev/zero >two.o || exit
	mkdir -p include/config
	echo 6.12.1 >include/config/kernel.release ;;
esac
"""

DPKG_QUERY = """\
#!/bin/sh
for word; do :; done
[ "$word" = linux-source-6.12 ] || exec /usr/bin/dpkg-query "$@"
echo 6.12.1-1
"""

SETUP = """\
#!/bin/sh
[ "$*" != '--names kernel' ] || [ -e "$BED/later-release" ] || echo linux-source-6.12
"""

# The systems of the fake debootstrap have no programs.
IN_ROOT = """\
#!/bin/sh
echo "in ${1##*/}" >>"$BED/done"
shift
exec "$@"
"""

# Stops where the work of another is to be interrupted, not in what the mirror does.
TAR = HEAD + """\
case $* in
-xJ*)	hang unxz ;;
-x*)	hang tar ;;
esac
exec /bin/tar "$@"
"""


class Bed:
    def __init__(self):
        directory = tempfile.TemporaryDirectory()
        cleanup(directory.cleanup)
        self.home = directory.name
        self.tree = self.home + "/tree"
        self.kernels = self.tree + "/out/kernel"
        shutil.copytree(TOP + "/scripts/bed", self.tree + "/scripts/bed")
        shutil.copytree(TOP + "/selftests/kernel", self.tree + "/selftests/kernel")
        os.makedirs(self.kernels)
        os.makedirs(self.home + "/bin")
        self.program("../tree/scripts/setup", SETUP)
        self.program("../tree/scripts/bed/in-root", IN_ROOT)
        for name, text in (("apt-get", APT), ("apt-cache", APT), ("make", MAKE),
                           ("debootstrap", DEBOOTSTRAP), ("tar", TAR),
                           ("dpkg-query", DPKG_QUERY),
                           ("gcc", "#!/bin/sh\necho gcc 1\n"),
                           ("sleep", "#!/bin/sh\nexec /bin/sleep 0.1\n")):
            self.program(name, text)
        self.environment = {**os.environ, "BED": self.home,
                            "PATH": "%s/bin:%s" % (self.home, os.environ["PATH"])}

    def program(self, name, text):
        path = "%s/bin/%s" % (self.home, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def switch(self, name, on=True):
        """One of the files that the programs look for."""
        path = "%s/%s" % (self.home, name)
        if on:
            with open(path, "w"):
                pass
        elif os.path.exists(path):
            os.remove(path)

    def package(self, suite, name, depends="", files=(), content=os.devnull):
        """Put one into the mirror; the files are empty, but for the content of the
        first."""
        root = self.home + "/deb"
        os.makedirs(root + "/DEBIAN")
        with open(root + "/DEBIAN/control", "w") as file:
            file.write("Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y>\n"
                       "Description: x\n" % name)
            if depends:
                file.write("Depends: %s\n" % depends)
        for number, path in enumerate(files):
            path = "%s/%s" % (root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(os.devnull if number else content, path)
        where = "%s/mirror/%s" % (self.home, suite)
        os.makedirs(where, exist_ok=True)
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", root, where],
                       check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(root)

    def kernel(self, suite, release, image=True):
        """One of a release such as 7.3.1-amd64, and its headers."""
        common = "linux-headers-%s-common" % release.rsplit("-", 1)[0]
        self.package(suite, "linux-headers-" + release, common + ", gcc-12",
                     ["usr/src/linux-headers-%s/Makefile" % release])
        self.package(suite, common, "make", ["usr/src/%s/Makefile" % common])
        if image:
            content = self.home + "/content"
            with open(content, "wb") as file:
                file.write(os.urandom(200000))
            self.package(suite, "linux-image-" + release, "kmod",
                         ["boot/vmlinuz-" + release,
                          "lib/modules/%s/modules.order" % release], content=content)

    def command(self, words, room=None):
        """On a disk with so much room, if that is said."""
        words = [self.tree + "/scripts/bed/" + words[0], *words[1:]]
        if not room:
            return words
        return ["unshare", "--mount", "sh", "-c",
                'mount -t tmpfs -o size=%s tmpfs "$1" && cp -a "$1.kept/." "$1" && '
                'shift && exec "$@"' % room, "sh", self.tree + "/out", *words]

    def run(self, *words, room=None):
        """Its status, what it says but for progress, and all of it."""
        if room:
            shutil.rmtree(self.tree + "/out.kept", ignore_errors=True)
            shutil.copytree(self.tree + "/out", self.tree + "/out.kept", symlinks=True)
        done = subprocess.run(self.command(words, room), env=self.environment, text=True,
                              check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        said = [line for line in done.stdout.splitlines() if line[:2] != "# "]
        return done.returncode, said

    def fails(self, *words, wanted, room=None):
        """It fails, and says why in one line."""
        status, said = self.run(*words, room=room)
        check(status and len(said) == 1 and wanted in said[0],
              "%s: %s: %s" % (words, status, said))

    def works(self, *words):
        status, said = self.run(*words)
        check(not status, "%s: %s: %s" % (words, status, said))
        return said

    def killed(self, *words, at, by):
        """Killed with all that it has started, where a program hangs."""
        self.switch("hang-" + at)
        self.switch("reached", False)
        work = subprocess.Popen(self.command(words), env=self.environment,
                                start_new_session=True, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not os.path.exists(self.home + "/reached"):
            check(work.poll() is None and time.monotonic() < end,
                  "%s has not come to %s" % (words, at))
            time.sleep(0.02)
        os.killpg(work.pid, by)
        work.wait()
        self.switch("hang-" + at, False)

    def done(self, keep=False):
        """What has been downloaded or configured since it was asked last."""
        try:
            with open(self.home + "/done") as file:
                return file.read().splitlines()
        except OSError:
            return []
        finally:
            if not keep:
                self.switch("done", False)
