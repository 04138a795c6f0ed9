// See session.h: one entry more, the epoch's end, rotation. What is on disk after each step stands in
// docs/formats/audit_log.md, "Keys".
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "audit/session.h"
#include "base/killpoint.h"
#include "base/text.h"
#include "base/ulid.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::size_t kValueBytesMax = 2'048;

std::string event_id(std::int64_t unix_ns) {
  std::array<std::uint8_t, 10> random{};
  fill_random(random.data(), random.size());
  return "audit_" + ulid_of(unix_ns, random);
}

void sync_directory(const std::string& path) {
  const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
}

/// The first entry of a file; false where it is none.
bool read_first(const std::string& path, Entry& to) {
  bool read = false;
  std::uint64_t torn = 0;
  std::string why;
  (void)for_each_line(
      path, [&](std::string_view line, std::uint64_t) { return read = read_entry(line, to, why), false; }, torn, why);
  return read;
}

}  // namespace

bool Session::emit(std::string_view event, Context context, Result result, bool ends_epoch, std::string& why) {
  const bool begins = event == "journal.begin" || event == "journal.file" || event == "journal.pruned";
  if (!begins && !rotate_if_due(why)) return false;
  Entry entry;
  entry.seq = next_seq_, entry.prev = prev_, entry.epoch = key_.epoch;
  entry.time_unix_ns = clock_.realtime_ns();
  if (event != "clock.step" || !ends_epoch) entry.time_unix_ns = std::max(entry.time_unix_ns, last_time_ns_);
  entry.event_id = event_id(entry.time_unix_ns);
  entry.event = event, entry.result = result, entry.context = std::move(context);
  entry.uid = ::geteuid(), entry.pid = static_cast<std::uint64_t>(::getpid());
  entry.program = program_invocation_short_name;
  for (auto& [key, value] : entry.context) value.resize(utf8_cut(value, kValueBytesMax));
  EpochKey next;
  if (ends_epoch || entry.time_unix_ns >= key_.began_unix_ns + kEpochNs) {
    next.epoch = key_.epoch + 1, next.first_seq = entry.seq + 1, next.began_unix_ns = entry.time_unix_ns;
    next.key = SigningKey::make();
    if (next.key == nullptr) return why = "libsodium does not start", false;
    entry.next_key = next.key->public_key();
  }
  const std::string line = write_entry(entry, *key_.key);
  if (line.size() > kLineBytesMax) return why = "the entry is too long", false;
  const Hash hash = sha256(line);
  next.first_prev = hash;
  if (entry.next_key && !stage_next_key(home_, next, why)) return false;
  if (!append_line(line, why)) return false;
  killpoint("audit.after_append");
  if (entry.next_key) {
    if (!take_next_key(home_, why)) return false;
    key_ = std::move(next);
  }
  prev_ = hash, last_time_ns_ = entry.time_unix_ns;
  ++next_seq_;
  return true;
}

bool Session::finish(Journal::End* end, std::string& why) {
  killpoint("audit.before_head");
  if (end != nullptr) *end = {next_seq_ - 1, prev_};
  return write_head(home_, next_seq_ - 1, prev_, *key_.key, why);
}

bool Session::append_line(const std::string& line, std::string& why) {
  const std::string path = log_path(home_);
  const Fd file = open_file(path, O_RDWR | O_CREAT, 0600, why);
  struct stat info {};
  if (!file) return false;
  if (::fstat(file.get(), &info) != 0 || ((info.st_mode & 0077) != 0 && ::fchmod(file.get(), 0600) != 0))
    return why = "cannot look at " + path + ": " + std::strerror(errno), false;
  const std::string whole = line + "\n";
  if (!write_exactly(file.get(), whole.data(), whole.size(), static_cast<std::uint64_t>(info.st_size)) ||
      ::fdatasync(file.get()) != 0) {
    why = "cannot write " + path + ": " + std::strerror(errno);
    (void)!::ftruncate(file.get(), info.st_size);  // half a line is worse than none; a reader takes either
    return false;
  }
  if (info.st_size == 0) sync_directory(audit_directory(home_));
  return true;
}

bool Session::rotate_if_due(std::string& why) {
  struct stat info {};
  const std::string path = log_path(home_);
  // Nothing there but files before it: a rotation that was killed.
  if (::lstat(path.c_str(), &info) != 0 || info.st_size == 0)
    return !any_ || emit("journal.file", {{"key", hex(key_.key->public_key())}}, Result::ok, false, why);
  Entry first;
  const bool known = read_first(path, first);
  const bool old = known && clock_.realtime_ns() - first.time_unix_ns >= kFileNsMax;
  if (static_cast<std::uint64_t>(info.st_size) < kFileBytesMax && !old) return true;
  // Where the first line cannot be read the file still has to sort behind those before it.
  std::uint64_t seq = first.seq;
  const std::vector<std::string> files = list_files(home_);
  if (!known) seq = files.size() < 2 ? 1 : std::stoull(files[files.size() - 2].substr(path.size() + 1)) + 1;
  const std::string to = rotated_path(home_, seq);
  if (::access(to.c_str(), F_OK) == 0) return true;  // somebody put it there; a large file is better than a lost one
  if (::rename(path.c_str(), to.c_str()) != 0)
    return why = "cannot rotate " + path + ": " + std::strerror(errno), false;
  sync_directory(audit_directory(home_));
  killpoint("audit.after_rotate");
  return emit("journal.file", {{"key", hex(key_.key->public_key())}}, Result::ok, false, why) && prune(why);
}

bool Session::prune(std::string& why) {
  const std::vector<std::string> files = list_files(home_);
  if (files.size() < 2) return true;
  // One file at a rotation: a clock that went a year ahead by mistake costs a month of the log, not all of it.
  const std::string& oldest = files.front();
  Tail tail;
  Entry newest;
  std::string ignored;
  const bool known = read_tail(oldest, tail, ignored) && read_entry(tail.line, newest, ignored);
  if (!known || last_time_ns_ - newest.time_unix_ns < kKeptNs) return true;
  // Said first: a kill in between leaves a file that is said to be gone, never one that is gone without a word.
  Context context{{"up_to_seq", std::to_string(newest.seq)},
                  {"file", oldest.substr(audit_directory(home_).size() + 1)}};
  if (!emit("journal.pruned", std::move(context), Result::ok, false, why)) return false;
  ::unlink(oldest.c_str());
  killpoint("audit.after_prune");
  return true;
}

}  // namespace honeylink::telemetry::audit
