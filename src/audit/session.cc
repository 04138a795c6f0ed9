// See session.h: reading the state and saying what is wrong with it. Writing stands in session_write.cc.
#include "audit/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "base/utc.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::int64_t kClockSlackNs = 1'000'000'000;
constexpr std::size_t kTornBytesMax = 64 * 1024 * 1024;

}  // namespace

bool Session::open(std::int64_t lock_wait_ms, std::string& why) {
  if (!make_private_directory(home_, why) || !make_private_directory(audit_directory(home_), why) ||
      !make_private_directory(home_ + "/keys", why))
    return false;
  lock_ = open_file(audit_directory(home_) + "/.lock", O_RDWR | O_CREAT, 0600, why);
  if (!lock_) return false;
  if (!lock_within(lock_.get(), lock_wait_ms)) return why = "another process is writing the audit log", false;
  head_state_ = read_head(home_, head_, why);
  if (!read_log(why) || !read_key(why)) return false;
  return say_what_is_wrong(why) && say_clock_step(why);
}

bool Session::read_log(std::string& why) {
  std::vector<std::string> files = list_files(home_);
  for (auto file = files.rbegin(); file != files.rend() && !any_; ++file) {
    Tail tail;
    if (!read_tail(*file, tail, why)) return false;
    if (tail.torn_bytes > 0 && !set_torn_aside(*file, tail, why)) return false;
    any_ = tail.whole_bytes > 0;
    if (!any_) continue;
    std::string ignored;
    sound_ = read_entry(tail.line, last_, ignored);
    last_hash_ = sha256(tail.line);
  }
  prev_ = last_hash_;
  last_time_ns_ = sound_ ? last_.time_unix_ns : 0;
  why.clear();
  return true;
}

bool Session::set_torn_aside(const std::string& path, const Tail& tail, std::string& why) {
  const Fd file = open_file(path, O_RDWR, 0, why);
  if (!file) return false;
  if (tail.torn_bytes > kTornBytesMax)
    return why = path + " ends in " + std::to_string(tail.torn_bytes) + " bytes that are no entry", false;
  std::string torn(static_cast<std::size_t>(tail.torn_bytes), '\0');
  torn_file_ = log_path(home_) + ".torn-" + format_utc(clock_.realtime_ns());
  if (!read_exactly(file.get(), torn.data(), torn.size(), tail.whole_bytes) ||
      !replace_file(torn_file_, torn, 0600, why) ||
      ::ftruncate(file.get(), static_cast<off_t>(tail.whole_bytes)) != 0 || ::fdatasync(file.get()) != 0) {
    if (why.empty()) why = "cannot mend " + path + ": " + std::strerror(errno);
    return false;
  }
  torn_bytes_ = tail.torn_bytes;
  torn_hash_ = hex(sha256(torn));
  return true;
}

std::uint64_t Session::expected_end() const noexcept {
  std::uint64_t end = sound_ ? last_.seq : 0;
  if (head_state_ == HeadState::ready) end = std::max(end, head_.seq);
  if (key_state_ == KeyState::ready) end = std::max(end, key_.first_seq - 1);
  return end;
}

bool Session::read_key(std::string& why) {
  key_state_ = open_epoch_key(home_, sound_ && last_.next_key ? &*last_.next_key : nullptr, key_, why);
  if (key_state_ == KeyState::unusable) return false;
  next_seq_ = expected_end() + 1;
  const bool nothing = !any_ && head_state_ == HeadState::none;
  if (key_state_ != KeyState::ready) return begin_anew(nothing ? "new" : "lost_key", why);
  // A beginning that was killed between its key and its entry.
  if (nothing && key_.epoch == 1 && key_.first_seq == 1)
    return emit("journal.begin", {{"key", hex(key_.key->public_key())}, {"reason", "new"}}, Result::ok, false, why);
  if (!sound_) return true;
  if (key_.epoch == last_.epoch + 1 && !last_.next_key && key_.first_seq == last_.seq + 1 &&
      key_.first_prev == last_hash_)
    return emit("journal.begin", {{"key", hex(key_.key->public_key())}, {"reason", "lost_key"}}, Result::ok, false,
                why);
  // A key that is older than the log's end was put back: nobody certifies what it signs any more.
  const bool older = key_.epoch < last_.epoch + (last_.next_key ? 1 : 0);
  const bool another = last_.next_key ? key_.epoch == last_.epoch + 1 && key_.key->public_key() != *last_.next_key
                                      : key_.epoch == last_.epoch && !is_signed_by(last_, key_.key->public_key());
  return older || another ? begin_anew("lost_key", why) : true;
}

bool Session::begin_anew(std::string_view reason, std::string& why) {
  EpochKey fresh;
  fresh.epoch = std::max(sound_ ? last_.epoch : 0, key_state_ == KeyState::ready ? key_.epoch : 0) + 1;
  fresh.first_seq = next_seq_, fresh.first_prev = prev_;
  fresh.began_unix_ns = clock_.realtime_ns();
  fresh.key = SigningKey::make();
  if (fresh.key == nullptr) return why = "libsodium does not start", false;
  if (!write_first_key(home_, fresh, why)) return false;
  key_ = std::move(fresh);
  key_state_ = KeyState::ready;
  return emit("journal.begin", {{"key", hex(key_.key->public_key())}, {"reason", std::string(reason)}}, Result::ok,
              false, why);
}

bool Session::say_what_is_wrong(std::string& why) {
  if (torn_bytes_ > 0) {
    Context context{{"bytes", std::to_string(torn_bytes_)}, {"sha256", torn_hash_}, {"file", torn_file_}};
    if (!emit("journal.repaired", std::move(context), Result::ok, false, why)) return false;
  }
  const std::uint64_t found = sound_ ? last_.seq : 0;
  const bool head_ready = head_state_ == HeadState::ready;
  const bool cut = found < (head_ready ? head_.seq : 0) || found + 1 < key_.first_seq;
  const bool another = head_ready && sound_ && found == head_.seq && head_.hash != last_hash_;
  // A log that begins now has neither.
  const bool began_now = !any_ && !head_ready && key_.first_seq == 1;
  if (began_now || (!cut && !another && (sound_ || !any_))) return true;
  Context context{{"found_seq", std::to_string(found)}, {"found_hash", any_ ? hex(last_hash_) : ""}};
  if (head_ready) {
    context.emplace_back("expected_seq", std::to_string(head_.seq));
    context.emplace_back("expected_hash", hex(head_.hash));
  }
  return emit("journal.gap", std::move(context), Result::failed, false, why);
}

bool Session::say_clock_step(std::string& why) {
  const std::int64_t step = clock_.realtime_ns() - last_time_ns_;
  if (last_time_ns_ == 0 || step >= -kClockSlackNs) return true;
  clock_step_said_ = true;
  return emit("clock.step", {{"seconds", std::to_string(step / 1'000'000'000)}}, Result::ok, true, why);
}

}  // namespace honeylink::telemetry::audit
