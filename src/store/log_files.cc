// See log_files.h: adding lines and committing them. The order of a commit is what recovery relies on: lines first,
// then the slot that speaks of them; a slot says `durable` only of bytes that were synced before it was written.
#include "store/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/crc32c.h"
#include "base/killpoint.h"
#include "store/log_files_state.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::uint64_t kActiveBytesMax =
    10'000'000;  // the file that people tail; a fifth of the cap where that is less
constexpr std::uint64_t kWriteBackBytes = 1'000'000;  // begun early, so that the sync each 5 s finds little to do
constexpr std::uint64_t kCompressAtLeast =
    1'000'000;  // per commit, and twice what was written: faster than files can pile up

}  // namespace

std::unique_ptr<LogFiles> LogFiles::open(const StoreOptions& options, std::string& said) {
  auto state = std::make_unique<State>(options);
  if (!state->open(said)) return nullptr;
  return std::unique_ptr<LogFiles>(new LogFiles(std::move(state)));
}

LogFiles::LogFiles(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
LogFiles::~LogFiles() = default;

std::uint64_t LogFiles::begin_epoch() {
  State& s = *state_;
  s.epoch = std::max(s.state.epoch, log_epoch(s.state_file.get())) + 1;
  LogState next = s.state;
  if (s.write_state(std::move(next), true) != CommitResult::ok) return s.epoch = 0;
  discard_pending();
  s.forgotten.clear();
  return s.epoch;
}

std::vector<SlotCursor> LogFiles::cursors() {
  std::vector<SlotCursor> found;
  for (const auto& [slot, next] : state_->state.cursors) found.push_back({slot.first, slot.second, next});
  return found;
}

Counts LogFiles::totals() { return state_->state.counts; }

void LogFiles::add(const LogEvent& event) {
  state_->lines.append(event, state_->pending);
  ++state_->pending_lines;
}

void LogFiles::forget_ring(const RingId& ring) {
  state_->forgotten.insert(ring);
  state_->lines.forget(ring);
}

std::size_t LogFiles::pending_bytes() const noexcept { return state_->pending.size(); }
std::uint64_t LogFiles::file_number() const noexcept { return state_->state.file_number; }
std::uint64_t LogFiles::committed_bytes() const noexcept { return state_->state.committed; }
std::size_t LogFiles::pending_lines() const noexcept { return state_->pending_lines; }
void LogFiles::discard_pending() {
  state_->pending.clear();
  state_->pending_lines = 0;
}

CommitResult LogFiles::State::system_error(std::string_view what) {
  const int error = errno;
  why = std::string(what) + ": " + std::strerror(error);
  return error == ENOSPC || error == EDQUOT || error == EFBIG ? CommitResult::no_space : CommitResult::failed;
}

std::uint64_t LogFiles::State::total_bytes() const {
  struct stat info {};
  const std::uint64_t slots =
      ::fstat(state_file.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_blocks) * 512 : 0;
  return state.committed + archive.bytes() + slots;
}

// Writes the next slot and, once it is written, makes it the state. `sync`: of the slot; the caller has synced the log.
CommitResult LogFiles::State::write_state(LogState next, bool sync) {
  next.sequence = state.sequence + 1;
  next.epoch = epoch;
  next.boot_id = boot;
  const std::string encoded = encode_log_state(next);
  if (encoded.empty()) return why = "logs/state: more positions than a slot holds", CommitResult::failed;
  if (log_epoch(state_file.get()) > epoch)
    return why = "logs/state: another engine has taken over", CommitResult::fenced;
  killpoint("log.before_state");
  if (!write_log_state(state_file.get(), encoded, next.sequence)) return system_error("logs/state");
  killpoint("log.after_state");
  state = std::move(next);  // it is the newer slot now, whatever the sync says
  if (sync && ::fdatasync(state_file.get()) != 0) (void)system_error("logs/state");
  return CommitResult::ok;
}

// A log that was deleted or renamed by somebody else (logrotate): go on in a file of the right name. False: it cannot
// be made.
bool LogFiles::State::follow_path() {
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && there.st_ino == state.inode) {
    const auto size = static_cast<std::uint64_t>(there.st_size);
    if (size < state.committed)
      adopt(size), written_back = size;  // emptied by somebody: no hole of zeros in front of our lines
    return true;
  }
  Fd next = open_file(path, O_RDWR | O_CREAT, 0644, why);
  if (!next || ::fchmod(next.get(), 0644) != 0 || ::fstat(next.get(), &there) != 0) return false;
  log = std::move(next);
  adopt(static_cast<std::uint64_t>(there.st_size));
  written_back = state.committed;
  return true;
}

CommitResult LogFiles::State::make_room(std::uint64_t bytes) {
  const std::uint64_t active_max = std::min(kActiveBytesMax, options.logs_bytes_max / 5);
  if (state.committed > 0 && state.committed + bytes > active_max) {
    const CommitResult rotated = rotate();
    if (rotated != CommitResult::ok) return rotated;
  }
  // A file being compressed exists twice for a while.
  while (total_bytes() + bytes + active_max > options.logs_bytes_max && archive.drop_oldest()) {}
  if (total_bytes() + bytes <= options.logs_bytes_max) return CommitResult::ok;
  why = path + ": " + std::to_string(bytes) + " bytes at once do not fit the cap of " +
        std::to_string(options.logs_bytes_max);
  return CommitResult::no_space;
}

CommitResult LogFiles::State::rotate() {
  killpoint("log.rotate.before_rename");
  if (::fdatasync(log.get()) != 0) return system_error(path);
  std::uint64_t number = std::max(state.file_number, archive.highest_number() + 1);
  std::string name;
  for (;; ++number) {
    name = path + "." + std::to_string(number);
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) break;
    if (errno != EEXIST) return system_error(path);
  }
  killpoint("log.rotate.after_rename");
  archive.add(number);
  Fd next_log = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0644, why);
  struct stat made {};
  if (!next_log || ::fchmod(next_log.get(), 0644) != 0 || ::fstat(next_log.get(), &made) != 0)
    return system_error(path);
  killpoint("log.rotate.after_create");
  log = std::move(next_log);
  written_back = 0;
  // In memory the old sizes belong to a file that has gone; should the slot not be written, follow_path() and recovery
  // see the inode.
  LogState next = state;
  next.inode = made.st_ino, next.file_number = number + 1;
  next.committed = next.durable = 0, next.tail_crc = 0, next.durable_stored = next.counts.stored;
  const CommitResult written = write_state(next, false);
  if (written != CommitResult::ok)
    state.inode = made.st_ino, state.committed = state.durable = 0, state.tail_crc = 0, state.file_number = number + 1;
  return written;
}

CommitResult LogFiles::State::write_lines(std::string_view lines_to_write, LogState& next) {
  killpoint("log.before_write");
  if (!write_exactly(log.get(), lines_to_write.data(), lines_to_write.size(), state.committed)) {
    const CommitResult result = system_error(path);
    (void)!::ftruncate(log.get(), static_cast<off_t>(state.committed));
    return result;
  }
  killpoint("log.after_write");
  next.tail_crc = crc32c(lines_to_write.data(), lines_to_write.size(), state.tail_crc);
  next.committed = state.committed + lines_to_write.size();
  if (next.committed - written_back >= kWriteBackBytes) {
    (void)::sync_file_range(log.get(), static_cast<off_t>(written_back),
                            static_cast<off_t>(next.committed - written_back), SYNC_FILE_RANGE_WRITE);
    written_back = next.committed;
  }
  return CommitResult::ok;
}

CommitResult LogFiles::commit(std::span<const SlotCursor> cursors, const Counts& delta, bool sync) {
  State& s = *state_;
  const bool unsynced = s.state.committed != s.state.durable || s.pending.size() != 0;
  if (s.pending.size() == 0 && cursors.empty() && delta.empty() && s.forgotten.empty() && !(sync && unsynced))
    return CommitResult::ok;
  if (s.epoch == 0) return s.why = "begin_epoch() has not been called", CommitResult::failed;
  if (log_epoch(s.state_file.get()) > s.epoch)
    return s.why = "logs/state: another engine has taken over", CommitResult::fenced;
  if (!s.follow_path()) return s.system_error(s.path);
  const std::string_view lines = s.pending.view();
  if (const CommitResult room = s.make_room(lines.size()); room != CommitResult::ok) return room;

  LogState next = s.state;
  if (!lines.empty()) {
    if (const CommitResult written = s.write_lines(lines, next); written != CommitResult::ok) return written;
  }
  next.counts.add(delta);
  for (const SlotCursor& cursor : cursors) next.cursors[{cursor.ring, cursor.slot}] = cursor.next_ordinal;
  std::erase_if(next.cursors, [&](const auto& entry) { return s.forgotten.contains(entry.first.first); });
  if (sync) {
    killpoint("log.before_sync");
    if (::fdatasync(s.log.get()) != 0) return s.system_error(s.path);
    killpoint("log.after_sync");
    next.durable = next.committed, next.tail_crc = 0, next.durable_stored = next.counts.stored;
  }
  const std::uint64_t committed = s.state.committed;
  const CommitResult result = s.write_state(std::move(next), sync);
  if (result != CommitResult::ok) {
    if (result != CommitResult::fenced) (void)!::ftruncate(s.log.get(), static_cast<off_t>(committed));
    return result;
  }
  const std::uint64_t written = lines.size();
  s.forgotten.clear();
  discard_pending();
  s.archive.step(kCompressAtLeast + 2 * written);
  return CommitResult::ok;
}

std::uint64_t LogFiles::disk_bytes() const { return state_->total_bytes(); }
bool LogFiles::began_anew() const noexcept { return state_->began_anew; }
const std::string& LogFiles::why() const noexcept { return state_->why; }
const std::string& LogFiles::path() const noexcept { return state_->path; }

}  // namespace honeylink::telemetry::store
