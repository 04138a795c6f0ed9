// See epoch_key.h.
#include "audit/epoch_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/file.h"
#include "base/killpoint.h"
#include "base/text.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::string_view kName = "audit.key", kNext = "audit.key.next";
constexpr std::string_view kHead = "honeylink-audit-key 1 ";
constexpr std::size_t kTextBytesMax = 512;

std::string text_of(const EpochKey& key) {
  Seed seed = key.key->seed();
  std::string text = std::string(kHead) + std::to_string(key.epoch) + " " + std::to_string(key.first_seq) + " " +
                     hex(key.first_prev) + " " + std::to_string(key.began_unix_ns) + " " + hex(seed) + "\n";
  sodium_memzero(seed.data(), seed.size());
  return text;
}

/// The next word, or nothing.
std::string_view take_word(std::string_view& rest, char end) noexcept {
  const std::size_t at = rest.find(end);
  const std::string_view word = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return at == std::string_view::npos ? std::string_view{} : word;
}

template <class Number>
bool read_number(std::string_view text, Number& to) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool parse(std::string_view text, EpochKey& to) {
  Seed seed{};
  if (!text.starts_with(kHead)) return false;
  std::string_view rest = text.substr(kHead.size());
  const bool sound = read_number(take_word(rest, ' '), to.epoch) && read_number(take_word(rest, ' '), to.first_seq) &&
                     unhex(take_word(rest, ' '), to.first_prev) &&
                     read_number(take_word(rest, ' '), to.began_unix_ns) && unhex(take_word(rest, '\n'), seed) &&
                     rest.empty() && to.epoch > 0;
  if (sound) to.key = SigningKey::from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return sound && to.key != nullptr;
}

/// What is erased is first written over: where the file system writes in place, its blocks hold it no longer.
void overwrite(const std::string& path) {
  std::string why;
  const Fd file = open_file(path, O_WRONLY, 0, why);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return;
  const std::string zeros(static_cast<std::size_t>(info.st_size), '0');
  if (write_exactly(file.get(), zeros.data(), zeros.size(), 0)) ::fdatasync(file.get());
}

}  // namespace

KeyState read_epoch_key(const std::string& home, bool pending, EpochKey& to, std::string& why) {
  std::string text;
  const std::string_view name = pending ? kNext : kName;
  const KeyState state = read_key_file(home, name, kTextBytesMax, text, why);
  if (state != KeyState::ready) return state;
  const bool sound = parse(text, to);
  wipe(text);
  if (sound) return KeyState::ready;
  return why = key_path(home, name) + " is damaged", KeyState::damaged;
}

KeyState open_epoch_key(const std::string& home, const PublicKey* last_next_key, EpochKey& to, std::string& why) {
  EpochKey next;
  std::string ignored;
  if (read_epoch_key(home, true, next, ignored) == KeyState::ready) {
    // The change was on its way. Its entry is in the log: the new key counts; else it never happened.
    if (last_next_key != nullptr && next.key->public_key() == *last_next_key) {
      if (!take_next_key(home, why)) return KeyState::unusable;
    } else {
      overwrite(key_path(home, kNext));
      ::unlink(key_path(home, kNext).c_str());
    }
  }
  return read_epoch_key(home, false, to, why);
}

bool write_first_key(const std::string& home, const EpochKey& key, std::string& why) {
  const std::string path = key_path(home, kName);
  if (::access(path.c_str(), F_OK) == 0) {
    const std::string aside = path + ".corrupt-" + std::to_string(key.began_unix_ns / 1'000'000'000);
    if (::rename(path.c_str(), aside.c_str()) != 0)
      return why = "cannot move " + path + " aside: " + std::strerror(errno), false;
  }
  std::string text = text_of(key);
  const bool made = make_key_file(home, kName, text, why);
  wipe(text);
  if (!made && why.empty()) why = path + " was made by somebody else";
  return made;
}

bool stage_next_key(const std::string& home, const EpochKey& next, std::string& why) {
  std::string text = text_of(next);
  const bool staged = replace_file(key_path(home, kNext), text, 0600, why);
  wipe(text);
  killpoint("audit.after_stage");
  return staged;
}

bool take_next_key(const std::string& home, std::string& why) {
  const std::string path = key_path(home, kName);
  overwrite(path);
  killpoint("audit.after_erase");
  if (::rename(key_path(home, kNext).c_str(), path.c_str()) != 0)
    return why = "cannot replace " + path + ": " + std::strerror(errno), false;
  const Fd folder(::open((home + "/keys").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  killpoint("audit.after_take");
  return true;
}

}  // namespace honeylink::telemetry::audit
