# Shared by installer/run, installer/test and installer/package: packages, configuration, build. Sourced, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the lists are used by those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
stop() {
  printf 'Stopped: %s\n' "$*" >&2
  exit 1
}

# Packages of Debian 12 and Ubuntu 24.04. "a|b": the first of the two that the distribution has.
common_packages=(cmake ninja-build g++ pkg-config ccache libdnnl-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libsqlite3-dev libzstd-dev libpng-dev)
window_packages=(qt6-base-dev qt6-base-dev-tools 'qt6-svg-dev|libqt6svg6-dev' libopencv-core-dev libopencv-imgproc-dev)
test_packages=('clang-format-14')  # one version: each breaks lines in its own way
package_packages=(dpkg-dev file gzip lintian)

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
offered() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# Installs those of the given packages that are missing; silent and quick when there are none.
install_packages() {
  local wanted one found missing=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    missing_tools "$@"
    return
  fi
  for wanted in "$@"; do
    found=
    for one in ${wanted//|/ }; do installed "$one" && found=yes; done
    [ -n "$found" ] || missing+=("$wanted")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "All packages are there."
    return
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop "these packages are missing and neither root nor sudo is at hand: ${missing[*]%%|*}. Ask whoever looks after this machine to install them, then run this again."
    as_root=(sudo)
  fi
  say "Installing with apt: ${missing[*]%%|*}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq || say "apt-get update reported a problem; going on with the lists that are there."
  local names=()
  for wanted in "${missing[@]}"; do
    found=
    for one in ${wanted//|/ }; do
      if offered "$one"; then
        found=$one
        break
      fi
    done
    [ -n "$found" ] || stop "apt knows no package ${wanted//|/ or }. Without a network, connect this machine and run this again; on another release than Debian 12 or Ubuntu 24.04 the package may have another name (and Ubuntu needs its 'universe' part switched on)."
    names+=("$found")
  done
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${names[@]}" \
    || stop "apt could not install the packages; its own message stands above. Without a network, connect this machine and run this again."
}

# Another distribution: nothing is installed, the tools are looked for and the list is told.
missing_tools() {
  local tool absent=()
  for tool in cmake ninja c++ pkg-config; do command -v "$tool" >/dev/null || absent+=("$tool"); done
  say "This system has no apt, so nothing is installed for you. Meander needs: a C++20 compiler, CMake 3.25, Ninja, pkg-config, oneDNN,"
  say "nlohmann-json, CLI11, spdlog, SQLite, zstd and libpng, all with their headers; and for the window Qt 6.4 (Base and Svg) and OpenCV 4 (core and imgproc)."
  [ ${#absent[@]} -eq 0 ] || stop "these commands are missing: ${absent[*]}. Install them and the libraries named above, then run this again."
  say "The commands are there; going on. CMake says it if a library is missing."
}

# Parallel jobs: one per core, at most one per 1.5 GiB of memory.
jobs_here() {
  local cores memory
  cores=$(nproc 2>/dev/null || echo 2)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 1572864)}' /proc/meminfo 2>/dev/null || echo "$cores")
  [ "${memory:-0}" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}

# configure_and_build <preset> [cmake options]
configure_and_build() {
  local preset=$1 log version
  shift
  cd "$root" || exit 1
  command -v cmake >/dev/null || stop "cmake is not on the PATH."
  version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9]*\.[0-9]*\).*/\1/p')
  [ "$(printf '%s\n3.25\n' "$version" | sort -V | head -n 1)" = 3.25 ] \
    || stop "CMake $version is too old, Meander needs 3.25 (Debian 12 and Ubuntu 24.04 have it)."
  log=build/$preset-configure.log
  mkdir -p build
  say "Configuring (preset $preset) in build/$preset"
  cmake --preset "$preset" "$@" >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    stop "CMake could not configure the build; its last lines stand above, all of them in $log."
  }
  grep -E '^-- (CUDA module|Meander)' "$log" | sed 's/^-- /  /' || true
  say "Building with $(jobs_here) jobs; the first build takes some minutes, later ones only what changed."
  cmake --build --preset "$preset" --parallel "$(jobs_here)" || stop "the build failed; the compiler's message stands above."
}
