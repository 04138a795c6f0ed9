#!/usr/bin/env bash
# Installs a build tree into a fresh folder, moves that folder, and builds the foreign project of this folder against it by CMake and by
# pkg-config; runs what was built, and holds the recorder to its promise of no third-party library.
# Called by ctest as: run.sh BUILD_TREE telemetry|embedded (install.foreign_project), and as: run.sh BUILD_TREE shared
# (install.shared_library), which first builds honeylink::telemetry alone, as a shared library, in a tree of its own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 parts=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/honeylink-install.XXXXXX")
trap 'rm -rf "$folder"' EXIT
say() { echo "install: $*"; }
fail() { say "$*"; exit 1; }

if [ "$parts" = shared ]; then
  say "building honeylink::telemetry as a shared library"
  launcher=$(sed -n 's/^CMAKE_CXX_COMPILER_LAUNCHER:[A-Z]*=//p' "$build/CMakeCache.txt")
  cmake -S "$here/../.." -B "$build/shared" -G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_SHARED_LIBS=ON -DHONEYLINK_TOOL=OFF -DHONEYLINK_TESTS=OFF -DHONEYLINK_KILLPOINTS=OFF >/dev/null
  build=$build/shared
  cmake --build "$build" 2>&1 | tail -20
fi

say "installing $build"
cmake --install "$build" --prefix "$folder/first" >/dev/null
mv "$folder/first" "$folder/moved"
prefix=$folder/moved

say "a foreign CMake project"
embedded=OFF
[ "$parts" = embedded ] && embedded=ON
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
flags=$(sed -n 's/^HONEYLINK_SANITIZE:[A-Z]*=\(..*\)/-fsanitize=\1/p' "$build/CMakeCache.txt")
flags="$flags $(sed -n 's/^CMAKE_CXX_FLAGS:[A-Z]*=//p' "$build/CMakeCache.txt")"
cmake -S "$here" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" \
  -DFOREIGN_EMBEDDED=$embedded >/dev/null
cmake --build "$folder/cmake" 2>&1 | tail -20
for program in recorder embedded tested; do
  [ -x "$folder/cmake/$program" ] || continue
  say "running $program"
  "$here/../in_fresh_home.sh" "$folder/cmake/$program" || fail "$program answered $?"
done

say "a foreign Makefile with pkg-config"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig:$prefix/lib/$(uname -m)-linux-gnu/pkgconfig
mkdir "$folder/make"
make -s -C "$folder/make" -f "$here/Makefile" VPATH="$here" CXX="$compiler $flags"
LD_LIBRARY_PATH=$prefix/lib "$here/../in_fresh_home.sh" "$folder/make/recorder" || fail "the Makefile's recorder answered $?"

# libc, libm, the loader, the compiler's own runtime and, in such builds, the sanitizers': nothing else may be asked of the system.
shared=$(find "$prefix/lib" -name 'libhoneylink_telemetry.so' | head -1)
[ "$parts" != shared ] || [ -n "$shared" ] || fail "no shared library was installed"
strangers=$(readelf -d "$folder/make/recorder" ${shared:+"$shared"} | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
  grep -Ev '^(libc|libm|ld-linux-[a-z0-9-]+|libstdc\+\+|libgcc_s|lib[a-z]+san|libpthread|libhoneylink_telemetry)\.so' || true)
[ -z "$strangers" ] || fail "honeylink::telemetry asks for $strangers"
if [ -x "$prefix/bin/honeytel" ]; then
  "$prefix/bin/honeytel" --help >/dev/null || fail "the installed honeytel answered $?"
  grep -q '^.SH NAMES' "$prefix/share/man/man1/honeytel.1" || fail "the manual page was not installed"
fi
say "both ways build and run"
