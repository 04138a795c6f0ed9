// See home.h. Called by recorders on their slow path, inside somebody's application: nothing is thrown, no locale, no
// stream; a path that cannot be used is an answer and the next one is tried.
#include "ring/home.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "base/text.h"
#include "ring/reader.h"

namespace honeylink::telemetry::ring {
namespace {

constexpr std::size_t kNameDigits = 32;
constexpr std::string_view kSuffix = ".ring", kHiddenPrefix = ".new-";
// Making a ring takes milliseconds; a hidden file that is older and that nobody locks belongs to a process that died in
// between.
constexpr std::int64_t kHiddenAgeMax_s = 60;

// FNV-1a, 64 bits: it only keeps the homes of one user apart, in directories that only this user can enter.
std::string hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(hash >> (56 - 8 * i));
  return hex(bytes);
}

// Without "//", "/./" and a slash at the end, so that one home has one hash. ".." stays: a symbolic link may stand
// before it.
std::string tidy(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (!part.empty() && part != ".") (out += '/') += part;
  }
  return out.empty() ? "/" : out;
}

std::string from_password_database() {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr ||
      entry.pw_dir == nullptr)
    return {};
  return entry.pw_dir;
}

// A program that runs with another user's rights takes no word from the one who started it: where it makes directories
// would be theirs to choose.
std::string environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool is_our_directory(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid();
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A candidate directory, made where it is missing. What stands above our own part must be there: we make no
// /run/user/1000.
bool prepare(const std::string& directory, const std::string& home, std::string& why) {
  if (directory == home + "/run") return make_private_directory(home, why) && make_private_directory(directory, why);
  const std::string ours = parent_of(directory), above = parent_of(ours);
  if (above != "/dev/shm" && !is_our_directory(above)) return why = above + " is not a directory of this user", false;
  return make_private_directory(ours, why) && make_private_directory(directory, why);
}

bool is_in_memory(const std::string& path) noexcept {
  struct statfs system {};
  return ::statfs(path.c_str(), &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

bool is_ring_name(std::string_view name) noexcept {
  return name.size() == kNameDigits + kSuffix.size() && name.ends_with(kSuffix) &&
         name.substr(0, kNameDigits).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Fd open_directory(const std::string& path) noexcept {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  // Writable by others: they could exchange what we are about to open.
  if (directory && (::fstat(directory.get(), &info) != 0 || info.st_uid != ::geteuid() || (info.st_mode & 022) != 0))
    return {};
  return directory;
}

void unlink_if_forgotten(int directory, const char* name) noexcept {
  const Fd file(::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (file && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) &&
      now.tv_sec - info.st_mtim.tv_sec > kHiddenAgeMax_s && !is_locked(file.get()))
    ::unlinkat(directory, name, 0);
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

void list_directory(const std::string& path, std::vector<RingFile>& rings) {
  Fd opened = open_directory(path);
  if (!opened) return;
  const int fd = opened.get();
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd));
  if (directory == nullptr) return;
  opened.release();
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(kHiddenPrefix)) unlink_if_forgotten(fd, entry->d_name);
    if (!is_ring_name(name)) continue;
    RingFile ring{path, std::string(name), 0, false};
    const Fd file(::openat(fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    struct stat info {};
    if (file && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid()) {
      ring.bytes = static_cast<std::uint64_t>(info.st_size);
      ring.alive = is_locked(file.get());
    }
    rings.push_back(std::move(ring));
  }
}

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// The lock comes from an open() of its own, never from the descriptor that the ring is mapped by: that one is inherited
// by forks.
void* lock_ring(const NewRing& ring) {
  const std::string path = ring.name.empty() ? proc_path(ring.file.get()) : ring.directory + "/" + ring.name;
  const int flags = O_RDWR | O_CLOEXEC | (ring.name.empty() ? 0 : O_NOFOLLOW);
  return hold_lock(Fd(::open(path.c_str(), flags)));
}

RingFileError reserve(int fd, std::uint64_t bytes) noexcept {
  int error = 0;
  do error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  while (error == EINTR);
  if (error == 0) return RingFileError::none;
  return error == ENOSPC || error == EDQUOT ? RingFileError::no_space : RingFileError::system;
}

void abandon(NewRing& ring) noexcept {
  if (!ring.name.empty()) ::unlink((ring.directory + "/" + ring.name).c_str());
  release_process_lock(ring.lock_page);
  ring = {};
}

// Unnamed where the file system can do that and /proc is there to name it later; else under a hidden name.
RingFileError make_in(const std::string& directory, const std::string& id, std::uint64_t bytes, bool unnamed_only,
                      NewRing& made, std::string& why) {
  made = {};
  made.directory = directory;
  if (::access("/proc/self/fd", X_OK) == 0)
    made.file = Fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!made.file && !unnamed_only) {
    made.name = std::string(kHiddenPrefix) + id;
    made.file =
        Fd(::open((directory + "/" + made.name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!made.file) made.name.clear();
  }
  if (!made.file) {
    const RingFileError error = errno == ENOSPC || errno == EDQUOT ? RingFileError::no_space : RingFileError::system;
    why = "cannot make a ring in " + directory + ": " + std::strerror(errno);
    return error;
  }
  ::fchmod(made.file.get(), 0600);  // whatever the umask
  if (const RingFileError error = reserve(made.file.get(), bytes); error != RingFileError::none) {
    why = "cannot reserve " + std::to_string(bytes) + " bytes in " + directory +
          (error == RingFileError::no_space ? ": no space" : "");
    abandon(made);
    return error;
  }
  made.lock_page = lock_ring(made);
  if (made.lock_page != nullptr) return RingFileError::none;
  why = "cannot lock a ring in " + directory;
  abandon(made);
  return RingFileError::system;
}

struct DeadRing {
  RingFile file;
  std::int64_t created_ns = 0;
  UnlinkedRing counts{};
};

DeadRing look_at(const RingFile& file) {
  DeadRing dead{file, 0, {}};
  unhex(std::string_view(file.name).substr(0, kNameDigits), dead.counts.ring_id);
  std::string why;
  Fd fd = open_file(file.directory + "/" + file.name, O_RDONLY, 0, why);
  if (!fd) return dead;
  const auto reader = RingReader::open(std::move(fd), file.name, false, why);
  if (reader == nullptr) return dead;  // not a ring: the first to go, with nothing to count
  dead.created_ns = reader->header().created.realtime_ns;
  if (!reader->read_accepted(dead.counts.accepted))
    std::fill(std::begin(dead.counts.accepted), std::end(dead.counts.accepted), 0);
  return dead;
}

// False: the rings of living processes alone leave no room.
bool make_room(const std::string& home, std::uint64_t bytes, std::vector<UnlinkedRing>& unlinked) {
  std::uint64_t sum = bytes;
  std::vector<DeadRing> dead;
  const std::vector<RingFile> rings = list_rings(home);
  for (const RingFile& ring : rings) sum += ring.bytes;
  if (sum <= kRingsBytesMax) return true;
  std::uint64_t dead_bytes = 0;
  for (const RingFile& ring : rings) {
    if (ring.alive || ring.bytes == 0) continue;
    dead.push_back(look_at(ring));
    dead_bytes += ring.bytes;
  }
  if (sum - dead_bytes > kRingsBytesMax) return false;  // nobody's records are given up for nothing
  std::sort(dead.begin(), dead.end(), [](const DeadRing& a, const DeadRing& b) { return a.created_ns < b.created_ns; });
  for (const DeadRing& ring : dead) {
    if (sum <= kRingsBytesMax) break;
    // Only who removed the name counts the ring: of two processes that make room at once, one.
    if (unlink_ring(ring.file.directory, ring.file.name)) unlinked.push_back(ring.counts);
    sum -= ring.file.bytes;
  }
  return sum <= kRingsBytesMax;
}

bool link_as(NewRing& ring, const std::string& directory, const std::string& name, std::string& why) {
  const std::string to = directory + "/" + name;
  // Linked, not renamed: a file that already has this name is somebody's, and an error.
  const std::string from = ring.name.empty() ? proc_path(ring.file.get()) : ring.directory + "/" + ring.name;
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), ring.name.empty() ? AT_SYMLINK_FOLLOW : 0) != 0) {
    why = "cannot link " + to + ": " + std::strerror(errno);
    return false;
  }
  if (!ring.name.empty()) ::unlink(from.c_str());
  ring.directory = directory;
  ring.name = name;
  ring.visible = true;
  return true;
}

}  // namespace

std::string home_path(const std::string& given) try {
  std::string path = given;
  if (path.empty()) path = environment("HONEYLINK_HOME");
  if (path.empty()) {
    path = environment("HOME");
    if (path.empty() || path[0] != '/') path = from_password_database();
    if (path.empty() || path[0] != '/') return {};
    path += "/.honeylink";
  }
  if (path[0] != '/') {
    std::array<char, 4096> here{};
    if (::getcwd(here.data(), here.size()) == nullptr) return {};
    path = std::string(here.data()) + "/" + path;
  }
  return tidy(path);
} catch (const std::bad_alloc&) { return {}; }

std::vector<std::string> ring_directories(const std::string& home) try {
  const std::string hash = hash_of(home), user = std::to_string(::geteuid());
  std::vector<std::string> directories;
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  if (!runtime.empty() && runtime[0] == '/') directories.push_back(tidy(runtime + "/honeylink/" + hash));
  std::string by_login = "/run/user/" + user + "/honeylink/" + hash, shared = "/dev/shm/honeylink-" + user + "/" + hash;
  // Where a disk is behind it, as in many containers, each page that is written back costs its next writer
  // microseconds.
  if (!is_in_memory("/run/user/" + user)) std::swap(by_login, shared);
  for (const std::string& next : {by_login, shared, home + "/run"}) {
    if (std::find(directories.begin(), directories.end(), next) == directories.end()) directories.push_back(next);
  }
  return directories;
} catch (const std::bad_alloc&) { return {}; }

std::vector<RingFile> list_rings(const std::string& home) try {
  std::vector<RingFile> rings;
  for (const std::string& directory : ring_directories(home)) {
    // What is in a directory of somebody else was not put there by us, whatever it looks like.
    if (directory == home + "/run" || is_our_directory(parent_of(directory))) list_directory(directory, rings);
  }
  return rings;
} catch (const std::bad_alloc&) { return {}; }

RingFileError make_ring(const std::string& home, const std::uint8_t (&id)[16], std::uint64_t bytes, NewRing& made,
                        std::vector<UnlinkedRing>& unlinked, std::string& why) try {
  const std::string digits = hex(id);
  RingFileError answer = RingFileError::no_directory;
  if (!make_room(home, bytes, unlinked)) {
    why = "the rings of living processes leave no room for " + std::to_string(bytes) + " bytes more";
    return RingFileError::too_large;
  }
  for (const std::string& directory : ring_directories(home)) {
    std::string said;
    RingFileError error = RingFileError::no_directory;
    if (prepare(directory, home, said)) error = make_in(directory, digits, bytes, false, made, said);
    if (error == RingFileError::none) return why.clear(), error;
    // "No space" in one place is worth more to say than that another does not exist.
    if (answer == RingFileError::no_space ||
        (error == RingFileError::no_directory && answer != RingFileError::no_directory))
      continue;
    answer = error;
    why = said;
  }
  return answer;
} catch (const std::bad_alloc&) { return RingFileError::system; }

RingFileError make_unnamed_ring(const std::uint8_t (&id)[16], std::uint64_t bytes, NewRing& made,
                                std::string& why) try {
  const RingFileError error = make_in("/dev/shm", hex(id), bytes, true, made, why);
  made.directory.clear();
  return error;
} catch (const std::bad_alloc&) { return RingFileError::system; }

bool publish_ring(const std::string& home, const std::uint8_t (&id)[16], NewRing& ring, std::string& why) try {
  std::string directory = ring.directory;
  if (directory.empty()) {  // unnamed, in /dev/shm: a link does not leave its file system
    directory = "/dev/shm/honeylink-" + std::to_string(::geteuid()) + "/" + hash_of(home);
    if (!prepare(directory, home, why)) return false;
  }
  return link_as(ring, directory, hex(id) + std::string(kSuffix), why);
} catch (const std::bad_alloc&) { return false; }

bool unlink_ring(const std::string& directory, const std::string& name) noexcept try {
  if (!is_ring_name(name)) return false;
  const Fd opened = open_directory(directory);
  return opened && ::unlinkat(opened.get(), name.c_str(), 0) == 0;
} catch (const std::bad_alloc&) { return false; }

}  // namespace honeylink::telemetry::ring
