// Opening the log: which bytes of it count, and what a kill or a power cut left behind them (docs/formats/log_files.md,
// "Recovery").
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/crc32c.h"
#include "store/database.h"
#include "store/log_files_state.h"

namespace honeylink::telemetry::store {
namespace {

// CRC of [from, to), in pieces. False where the bytes cannot be read.
bool crc_of(int fd, std::uint64_t from, std::uint64_t to, std::uint32_t& crc) {
  std::vector<char> piece(std::size_t{1} << 20);
  crc = 0;
  while (from < to) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), to - from));
    if (!read_exactly(fd, piece.data(), size, from)) return false;
    crc = crc32c(piece.data(), size, crc);
    from += size;
  }
  return true;
}

std::uint64_t size_of(int fd) noexcept {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}
std::uint64_t inode_of(int fd) noexcept {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

LogFiles::State::State(const StoreOptions& given)
    : options(given),
      directory(resolved_home(given.home) + "/logs"),
      path(directory + "/honeylink.log"),
      boot(boot_id()),
      archive(directory) {
  if (options.clock == nullptr) options.clock = &system_clock();
}

bool LogFiles::State::open(std::string& said) {
  said.clear();
  if (!make_private_directory(resolved_home(options.home), said) || !make_private_directory(directory, said))
    return false;
  if (!open_state(said)) return false;
  archive.load();
  return open_log(said);
}

bool LogFiles::State::open_state(std::string& said) {
  const std::string state_path = directory + "/state";
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::string why_not;
    state_file = open_file(state_path, O_RDWR | O_CREAT, 0644, why_not);
    if (!state_file || ::fchmod(state_file.get(), 0644) != 0)
      return said = why_not.empty() ? state_path + ": cannot be opened" : why_not, false;
    if (read_log_state(state_file.get(), state)) return true;
    began_anew = true;
    state = {};
    if (size_of(state_file.get()) == 0) return true;
    const std::string aside = set_aside(state_path, options.clock->realtime_ns());
    if (aside.empty()) return said = state_path + " is damaged and cannot be renamed: " + std::strerror(errno), false;
    said = state_path + " is damaged; set aside as " + aside + "; its positions could not be read";
  }
  return false;
}

// A file that the state does not know: kept as it is, from the next line on ours.
void LogFiles::State::adopt(std::uint64_t bytes) {
  char last = '\n';
  if (bytes > 0 && read_exactly(log.get(), &last, 1, bytes - 1) && last != '\n' &&
      write_exactly(log.get(), "\n", 1, bytes))
    ++bytes;
  state.inode = inode_of(log.get());
  state.committed = state.durable = bytes;
  state.tail_crc = 0;
  state.durable_stored = state.counts.stored;
}

bool LogFiles::State::recover_tail(const std::string& file, int fd, bool other_boot, std::string& said) {
  const std::uint64_t size = size_of(fd);
  std::uint64_t keep = state.committed;
  if (other_boot || size < state.committed) {
    std::uint32_t crc = 0;
    const bool whole =
        size >= state.committed && crc_of(fd, state.durable, state.committed, crc) && crc == state.tail_crc;
    if (!whole) keep = std::min(state.durable, size);
  }
  if (keep < state.committed) {
    // Lines that were counted as stored and are gone: only a power cut (or somebody's editor) does that.
    const std::uint64_t lost = state.counts.stored - std::min(state.durable_stored, state.counts.stored);
    state.counts.stored -= lost;
    if (lost != 0) state.counts.dropped[other_boot ? "power_loss" : "store_lost"] += lost;
    said += (said.empty() ? "" : "; ") + file + ": " + std::to_string(lost) + " lines that were not synced are gone";
    state.committed = keep;
    state.durable = std::min(state.durable, keep);
    state.tail_crc = 0;
    state.durable = keep;
  }
  return size == keep || ::ftruncate(fd, static_cast<off_t>(keep)) == 0;
}

bool LogFiles::State::open_log(std::string& said) {
  std::string why_not;
  log = open_file(path, O_RDWR | O_CREAT, 0644, why_not);
  if (!log || ::fchmod(log.get(), 0644) != 0)
    return said = why_not.empty() ? path + ": cannot be opened" : why_not, false;
  const bool other_boot = state.boot_id != boot;
  const std::uint64_t inode = inode_of(log.get());
  if (state.inode == inode && inode != 0) {
    if (!recover_tail(path, log.get(), other_boot, said))
      return said = path + ": cannot be cut: " + std::strerror(errno), false;
    return true;
  }
  // A rotation that a kill interrupted: the file of the state has its new name already, the one here is not written
  // yet.
  const std::string rotated = state.inode == 0 ? std::string() : archive.plain_with_inode(state.inode);
  if (rotated.empty()) {
    adopt(size_of(log.get()));
    return true;
  }
  const Fd old = open_file(rotated, O_RDWR, 0, why_not);
  if (!old || !recover_tail(rotated, old.get(), other_boot, said) || ::ftruncate(log.get(), 0) != 0) {
    return said = rotated + ": cannot be cut: " + (why_not.empty() ? std::strerror(errno) : why_not), false;
  }
  archive.load();
  state.file_number = std::max(state.file_number, archive.highest_number()) + 1;
  adopt(0);
  return true;
}

}  // namespace honeylink::telemetry::store
