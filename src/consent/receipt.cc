// See receipt.h.
#include "consent/receipt.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr std::string_view kSignature = ",\"sig\":";

std::string unsigned_part(const Receipt& r) {
  JsonWriter json;
  json.begin_object().key("honeylink_consent").integer(1).key("endpoint").text(r.endpoint.text());
  json.key("signals").begin_object();
  for (std::size_t i = 0; i < kSignals; ++i)
    if (r.from_unix_ns[i] >= 0) json.key(kSignalNames[i]).text(std::to_string(r.from_unix_ns[i]));
  json.end_object().key("granted_unix_nano").text(std::to_string(r.granted_unix_ns));
  json.key("expires_unix_nano").text(std::to_string(r.expires_unix_ns));
  json.key("ca_file").text(r.ca_file).key("ca_sha256").text(r.ca_sha256).key("pin").text(r.pin);
  json.key("cert_file").text(r.cert_file).key("key_file").text(r.key_file).key("nonce").text(r.nonce);
  json.key("uid").count(r.uid).key("install").text(hex(r.install));
  return json.str();
}

std::string signed_line(const std::string& unsigned_text, const audit::Signature& signature) {
  return unsigned_text + std::string(kSignature) + json_string(hex(signature)) + "}\n";
}

bool read_number(std::string_view text, std::int64_t& to) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size() && to >= 0;
}

bool read_signals(std::string_view object, Receipt& to) {
  std::vector<JsonMember> members;
  if (!read_json_object(object, members) || members.empty()) return false;
  for (const auto& [name, value] : members) {
    const auto signal = signal_named(name);
    if (!signal || !read_number(json_text_of(value), to.from_unix_ns[static_cast<std::size_t>(*signal)])) return false;
  }
  return true;
}

/// Fills `to` from what the members say; whether they are complete and in order is told by writing them again.
bool read_members(const std::vector<JsonMember>& members, Receipt& to, audit::Signature& signature) {
  std::string why;
  for (const auto& [name, value] : members) {
    const std::string text = json_text_of(value);
    std::int64_t number = 0;
    bool sound = true;
    if (name == "endpoint") {
      const auto endpoint = parse_endpoint(text, why);
      sound = endpoint.has_value();
      if (sound) to.endpoint = *endpoint;
    } else if (name == "signals") {
      sound = read_signals(value, to);
    } else if (name == "granted_unix_nano") {
      sound = read_number(text, to.granted_unix_ns);
    } else if (name == "expires_unix_nano") {
      sound = read_number(text, to.expires_unix_ns);
    } else if (name == "uid") {
      sound = read_number(text, number);
      to.uid = static_cast<std::uint64_t>(number);
    } else if (name == "install") {
      sound = unhex(text, to.install);
    } else if (name == "sig") {
      sound = unhex(text, signature);
    } else if (name == "honeylink_consent") {
      sound = value == "1";
    } else {
      std::string* place = name == "ca_file"     ? &to.ca_file
                           : name == "ca_sha256" ? &to.ca_sha256
                           : name == "pin"       ? &to.pin
                           : name == "cert_file" ? &to.cert_file
                           : name == "key_file"  ? &to.key_file
                           : name == "nonce"     ? &to.nonce
                                                 : nullptr;
      sound = place != nullptr;
      if (sound) *place = text;
    }
    if (!sound) return false;
  }
  return true;
}

}  // namespace

std::optional<Signal> signal_named(std::string_view name) noexcept {
  const auto at = std::find(kSignalNames.begin(), kSignalNames.end(), name);
  if (at == kSignalNames.end()) return std::nullopt;
  return static_cast<Signal>(at - kSignalNames.begin());
}

std::string Receipt::signals_text() const {
  std::string text;
  for (std::size_t i = 0; i < kSignals; ++i)
    if (from_unix_ns[i] >= 0) text.append(text.empty() ? "" : ",").append(kSignalNames[i]);
  return text;
}

std::string write_receipt(const Receipt& receipt, const audit::SigningKey& key) {
  const std::string text = unsigned_part(receipt);
  return signed_line(text, key.sign(audit::kConsentDomain, text));
}

bool read_receipt(std::string_view bytes, const audit::PublicKey& install, Receipt& to, std::string& why) {
  to = Receipt{};
  std::vector<JsonMember> members;
  audit::Signature signature{};
  if (bytes.size() > kReceiptBytesMax || !read_json_object(bytes, members) || !read_members(members, to, signature))
    return why = "it is no receipt", false;
  const std::string text = unsigned_part(to);
  if (signed_line(text, signature) != bytes) return why = "it is not as it was written", false;
  if (to.install != install) return why = "it was granted in another home", false;
  if (!audit::verify(install, audit::kConsentDomain, text, signature))
    return why = "its signature does not fit: it was changed after it was granted", false;
  if (to.expires_unix_ns - to.granted_unix_ns > kGrantNsMax) return why = "it lasts longer than a year", false;
  return true;
}

std::string receipt_name(const Endpoint& endpoint) {
  return hex(audit::sha256(endpoint.text())).substr(0, 32) + ".receipt";
}

bool is_pin(std::string_view pin) noexcept {
  constexpr std::string_view kBegin = "sha256//",
                             kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kBase64Bytes = 44;  // of 32 bytes: 43 letters and one '='
  if (pin.size() != kBegin.size() + kBase64Bytes || !pin.starts_with(kBegin) || pin.back() != '=') return false;
  pin.remove_prefix(kBegin.size());
  pin.remove_suffix(1);
  return pin.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace honeylink::telemetry::consent
