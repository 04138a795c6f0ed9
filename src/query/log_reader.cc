// Reading log files: see log_reader.h. Rotated files are streams of zstd frames; a damaged one is read as far as it
// goes, and said.
#include "query/log_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "query/paths.h"
#include "store/log_archive.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kWindowLogMax = 23;  // 8 MB
constexpr int kHoldTries = 32;

bool describe(const std::string& path, LogFile& file) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  file.path = path;
  file.bytes = static_cast<std::uint64_t>(info.st_size);
  file.modified_unix_ns = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  return true;
}

/// Cuts a stream of bytes into lines.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<bool(std::string_view)>& visit) : visit_(visit) {}
  bool feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) {
        if (partial_.size() < kLogLineBytesMax) partial_.append(bytes.substr(0, kLogLineBytesMax - partial_.size()));
        return true;
      }
      const std::string_view piece = bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (partial_.empty()) {
        if (!visit_(piece.substr(0, kLogLineBytesMax))) return false;
        continue;
      }
      partial_.append(piece.substr(0, kLogLineBytesMax - std::min(kLogLineBytesMax, partial_.size())));
      const bool go_on = visit_(partial_);
      partial_.clear();
      if (!go_on) return false;
    }
    return true;
  }

 private:
  const std::function<bool(std::string_view)>& visit_;
  std::string partial_;
};

Problem unreadable(const std::string& path, std::string why) {
  return {ProblemKind::environment, "cannot read " + path, std::move(why), "honeytel doctor checks owners and modes"};
}

std::optional<Problem> read_plain(int fd, const std::string& path, LineSplitter& lines) {
  std::vector<char> buffer(kReadBytes);
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n == 0) return std::nullopt;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(path, "read error " + std::to_string(errno));
    if (!lines.feed({buffer.data(), static_cast<std::size_t>(n)})) return std::nullopt;
  }
}

std::optional<Problem> read_compressed(int fd, const std::string& path, LineSplitter& lines) {
  struct Free {
    void operator()(ZSTD_DStream* s) const noexcept { ZSTD_freeDStream(s); }
  };
  const std::unique_ptr<ZSTD_DStream, Free> stream(ZSTD_createDStream());
  if (!stream) return unreadable(path, "out of memory");
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  std::vector<char> in(kReadBytes), out(kReadBytes);
  for (;;) {
    const ssize_t n = ::read(fd, in.data(), in.size());
    if (n == 0) return std::nullopt;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(path, "read error " + std::to_string(errno));
    ZSTD_inBuffer input{in.data(), static_cast<std::size_t>(n), 0};
    for (bool more = true; more;) {
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream.get(), &output, &input);
      if (ZSTD_isError(left) != 0)
        return Problem{ProblemKind::busy, path + " is damaged", ZSTD_getErrorName(left),
                       "what comes before the damage was read"};
      if (!lines.feed({out.data(), output.pos})) return std::nullopt;
      more = input.pos < input.size || output.pos == output.size;
    }
  }
}

bool is_still_there(const HeldLog& held, const LogFile& now) {
  struct stat ours {
  }, its{};
  return held.fd && held.file.path == now.path && ::fstat(held.fd.get(), &ours) == 0 &&
         ::lstat(now.path.c_str(), &its) == 0 && ours.st_ino == its.st_ino && ours.st_dev == its.st_dev;
}

}  // namespace

bool passes(std::string_view raw, LogFilter& filter, LogLine& line) {
  if (raw.empty()) return false;
  if (filter.grep && !filter.grep->matches(raw)) return false;
  if (!filter.trace_prefix.empty() && raw.find(filter.trace_prefix) == std::string_view::npos) return false;
  if (!filter.pseudonym.empty() && raw.find(filter.pseudonym) == std::string_view::npos) return false;
  line = parse_log_line(raw);
  const bool any_time = filter.since_unix_ns == INT64_MIN && filter.until_unix_ns == INT64_MAX;
  if (!any_time && (line.time_unix_ns < filter.since_unix_ns || line.time_unix_ns > filter.until_unix_ns)) return false;
  if (filter.level_min > 0 && level_number(line.level) < filter.level_min) return false;
  return filter.trace_prefix.empty() || line.trace_id.starts_with(filter.trace_prefix);
}

std::vector<LogFile> list_log_files(const std::string& home) {
  std::vector<LogFile> files;
  for (const store::RotatedLog& rotated : store::rotated_logs(logs_directory(home))) {
    LogFile file;
    file.compressed = rotated.compressed;
    if (describe(rotated.path, file)) files.push_back(std::move(file));
  }
  LogFile newest;
  if (describe(log_path(home), newest)) files.push_back(std::move(newest));
  return files;
}

std::optional<Problem> read_log_file(const LogFile& file, const std::function<bool(std::string_view)>& visit) {
  std::string why;
  HeldLog held{file, open_file(file.path, O_RDONLY, 0, why)};
  if (!held.fd) return unreadable(file.path, why);
  return read_log_file(held, visit);
}

std::optional<Problem> read_log_file(const HeldLog& log, const std::function<bool(std::string_view)>& visit) {
  LineSplitter lines(visit);
  return log.file.compressed ? read_compressed(log.fd.get(), log.file.path, lines)
                             : read_plain(log.fd.get(), log.file.path, lines);
}

Answer<std::vector<HeldLog>> hold_log_files(const std::string& home) {
  std::string why;
  for (int tries = 0; tries < kHoldTries; ++tries) {
    std::vector<HeldLog> held;
    for (LogFile& file : list_log_files(home)) {
      Fd fd = open_file(file.path, O_RDONLY, 0, why);
      held.push_back({std::move(file), std::move(fd)});
    }
    // Open is not enough: between the listing and now one may have been rotated into another's place, or a new one
    // begun.
    const std::vector<LogFile> now = list_log_files(home);
    if (std::equal(held.begin(), held.end(), now.begin(), now.end(), is_still_there)) return held;
  }
  return Problem{ProblemKind::busy, "the log files change too fast to be listed", why, "try again"};
}

LogFollower::LogFollower(std::string path, bool from_start)
    : path_(std::move(path)), watch_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), from_start_(from_start) {
  const std::string directory = path_.substr(0, path_.rfind('/'));
  if (watch_) ::inotify_add_watch(watch_.get(), directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  if (open_file() && !from_start_)
    offset_ = static_cast<std::uint64_t>(std::max<off_t>(0, ::lseek(file_.get(), 0, SEEK_END)));
}

bool LogFollower::open_file() {
  std::string why;
  Fd file = telemetry::open_file(path_, O_RDONLY, 0, why);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return false;
  if (file_ && info.st_ino == inode_) return false;
  file_ = std::move(file);
  inode_ = info.st_ino;
  offset_ = 0;
  partial_.clear();
  return true;
}

bool LogFollower::drain(const std::function<void(std::string_view)>& visit) {
  if (!file_) return false;
  struct stat info {};
  // An engine that takes over cuts what its predecessor had not committed, and writes it again.
  if (::fstat(file_.get(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) < offset_)
    offset_ = static_cast<std::uint64_t>(info.st_size), partial_.clear();
  bool any = false;
  std::vector<char> buffer(kReadBytes);
  for (;;) {
    const ssize_t n = ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset_));
    if (n <= 0) return any;
    offset_ += static_cast<std::uint64_t>(n);
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      partial_.append(bytes.substr(0, end));
      visit(partial_);
      any = true;
      partial_.clear();
      bytes.remove_prefix(end + 1);
    }
    if (partial_.size() < kLogLineBytesMax) partial_.append(bytes);
  }
}

void LogFollower::poll(int timeout_ms, const std::function<void(std::string_view)>& visit) {
  bool any = drain(visit);
  if (open_file()) any = drain(visit) || any;
  if (any) return;
  pollfd waiting{watch_.get(), POLLIN, 0};
  if (::poll(&waiting, watch_ ? 1 : 0, timeout_ms) > 0) {
    char events[4096];
    while (::read(watch_.get(), events, sizeof events) > 0) {}
  }
  drain(visit);
  if (open_file()) drain(visit);
}

}  // namespace honeylink::telemetry::query
