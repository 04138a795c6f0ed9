// See key_rules.h.
#include "scrub/key_rules.h"

#include <algorithm>
#include <cstddef>

namespace honeylink::telemetry::scrub {
namespace {

constexpr std::string_view kIds[] = {"device_id", "user_id", "peer_id"};
// The same words as the compiler refuses as literals (include/honeylink/internal/literal.h), and their relatives.
constexpr std::string_view kRefused[] = {"payload", "body",   "password",      "passwd",     "pwd",
                                         "secret",  "token",  "authorization", "cookie",     "passphrase",
                                         "api_key", "apikey", "private_key",   "credential", "credentials"};
// Of these a key that holds them anywhere is refused where its value is text: password_old, payload.raw.
constexpr std::string_view kPartings = ".-_/ ";

std::string plain(std::string_view key) {
  std::string out(key);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    if (kPartings.find(c) != std::string_view::npos) c = '_';
  }
  return out;
}

bool ends_with_word(std::string_view key, std::string_view word) {
  return key.ends_with(word) && (key.size() == word.size() || key[key.size() - word.size() - 1] == '_');
}
bool holds_word(std::string_view key, std::string_view word) {
  return ("_" + std::string(key) + "_").find("_" + std::string(word) + "_") != std::string::npos;
}

}  // namespace

KeyRules::KeyRules(const std::vector<std::string>& more_ids, const std::vector<std::string>& more_refused) {
  for (const auto id : kIds) ids_.emplace_back(id);
  for (const auto& id : more_ids) ids_.push_back(plain(id));
  for (const auto word : kRefused) refused_.emplace_back(word);
  for (const auto& word : more_refused) refused_.push_back(plain(word));
  std::erase(ids_, std::string{});
  std::erase(refused_, std::string{});
}

KeyVerdict KeyRules::judge(std::string_view key) const {
  const std::string name = plain(key);
  for (const auto& id : ids_)
    if (ends_with_word(name, id)) return KeyVerdict::hash;
  for (const auto& word : refused_)
    if (ends_with_word(name, word)) return KeyVerdict::refuse;
  for (const auto& word : refused_)
    if (holds_word(name, word)) return KeyVerdict::refuse_text;
  return KeyVerdict::look;
}

std::string_view KeyRules::kind_of(std::string_view key) noexcept {
  const auto last = key.find_last_of("./ ");
  if (last != std::string_view::npos) key.remove_prefix(last + 1);
  for (const std::string_view ending : {"_id", "-id"})
    if (key.size() > ending.size() && key.ends_with(ending)) return key.substr(0, key.size() - ending.size());
  return key;
}

}  // namespace honeylink::telemetry::scrub
