// See verify.h.
#include "audit/verify.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "audit/chain.h"
#include "audit/epoch_key.h"
#include "audit/files.h"
#include "base/file.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::int64_t kLockWaitMs = 3'000;

std::uint64_t size_of(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

/// A writer in the middle of an append would look like damage. Where there is no lock to be had, look all the same.
Fd hold(const std::string& home) {
  std::string ignored;
  Fd file = open_file(audit_directory(home) + "/.lock", O_RDWR, 0, ignored);
  if (file && !lock_within(file.get(), kLockWaitMs)) return {};
  return file;
}

void judge_key(Chain& chain, const Verification& found, KeyState state, const EpochKey& key, const std::string& why) {
  if (found.entries == 0) return;
  if (state != KeyState::ready)
    return chain.find(Fault::key, 0, state == KeyState::none ? "keys/audit.key is gone" : why);
  if (chain.key() && (key.epoch != chain.epoch() || key.key->public_key() != *chain.key()))
    chain.find(Fault::key, 0, "keys/audit.key is not the key that the end of the log names");
}

void judge_head(Chain& chain, const Verification& found, HeadState state, const Head& head, const std::string& why) {
  if (state == HeadState::unusable) return chain.find(Fault::head, 0, why);
  if (state == HeadState::none) {
    // The very first append may have been killed before it.
    if (found.last_seq > 2) chain.find(Fault::head, 0, "audit/head is gone");
    return;
  }
  if (found.entries > 0 && head.seq == found.last_seq && chain.key() && !is_signed_by(head, *chain.key()))
    chain.find(Fault::head, head.seq, "audit/head is not signed by the key of the log's end");
}

}  // namespace

Verification verify_log(const std::string& home, const std::vector<Anchor>& anchors,
                        const std::function<bool(double)>& progress) {
  Verification found;
  Chain chain(found);
  const Fd held = hold(home);
  Head head;
  EpochKey key;
  std::string head_why, key_why, why;
  const HeadState head_state = read_head(home, head, head_why);
  EpochKey pending;
  const bool changing = read_epoch_key(home, true, pending, why) == KeyState::ready;
  KeyState key_state = read_epoch_key(home, false, key, key_why);
  if (head_state == HeadState::ready) chain.expect({"audit/head", head.seq, head.hash});
  if (key_state == KeyState::ready && key.first_seq > 1)
    chain.expect({"keys/audit.key", key.first_seq - 1, key.first_prev});
  for (const Anchor& anchor : anchors) chain.expect(anchor);
  std::uint64_t all = 1, done = 0;
  const std::vector<std::string> files = list_files(home);
  for (const std::string& file : files) all += size_of(file);
  bool goes_on = true;
  for (const std::string& file : files) {
    chain.begin_file(file.substr(audit_directory(home).size() + 1));
    std::uint64_t torn = 0;
    const auto visit = [&](std::string_view line, std::uint64_t number) {
      chain.take(line, number);
      done += line.size() + 1;
      return goes_on = progress(static_cast<double>(done) / static_cast<double>(all));
    };
    if (!for_each_line(file, visit, torn, why)) chain.find(Fault::unreadable, 0, why);
    if (torn > 0 && goes_on)
      chain.find(Fault::unsigned_end, 0,
                 std::to_string(torn) + " bytes at the end of the file are no whole entry, and nothing proves them");
    if (!goes_on) return found;
  }
  chain.judge_anchors();
  // A change of keys that was killed after its entry: the next append brings it to its end.
  if (changing && chain.key() && pending.key->public_key() == *chain.key())
    key = std::move(pending), key_state = KeyState::ready;
  judge_key(chain, found, key_state, key, key_why);
  judge_head(chain, found, head_state, head, head_why);
  return found;
}

}  // namespace honeylink::telemetry::audit
