// Ed25519 keys of this home (libsodium): made once, kept in <home>/keys (0700, files 0600, never through a symbolic
// link), wiped from memory when they are let go of.
//
// Used by consent (keys/consent.key signs receipts) and by the journal (keys/audit.key, which changes each hour).
// Values belong to one owner; verify() may be called from any thread. Formats: docs/formats/consent.md, audit_log.md.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace honeylink::telemetry::audit {

inline constexpr std::size_t kSeedBytes = 32, kPublicKeyBytes = 32, kSignatureBytes = 64, kHashBytes = 32;
using Seed = std::array<std::uint8_t, kSeedBytes>;
using PublicKey = std::array<std::uint8_t, kPublicKeyBytes>;
using Signature = std::array<std::uint8_t, kSignatureBytes>;
using Hash = std::array<std::uint8_t, kHashBytes>;

/// What is signed is `domain`, a line feed, and the bytes: a signature of one kind of thing is none of another.
inline constexpr std::string_view kConsentDomain = "honeylink consent 1", kEntryDomain = "honeylink audit 1",
                                  kHeadDomain = "honeylink audit head 1";

class SigningKey {
 public:
  /// nullptr where libsodium does not start.
  [[nodiscard]] static std::unique_ptr<SigningKey> make();
  [[nodiscard]] static std::unique_ptr<SigningKey> from_seed(const Seed& seed);
  ~SigningKey();
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  [[nodiscard]] Signature sign(std::string_view domain, std::string_view bytes) const;
  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_; }
  /// The caller wipes it.
  [[nodiscard]] Seed seed() const noexcept;

 private:
  SigningKey() = default;
  PublicKey public_{};
  std::array<std::uint8_t, kSeedBytes + kPublicKeyBytes> secret_{};
};

[[nodiscard]] bool verify(const PublicKey& key, std::string_view domain, std::string_view bytes,
                          const Signature& signature);
[[nodiscard]] Hash sha256(std::string_view bytes);
/// `bytes` from the system's generator.
void fill_random(void* to, std::size_t bytes);
void wipe(std::string& secret) noexcept;

/// Where a key file is read and written. `name`: "consent.key".
enum class KeyState : std::uint8_t { ready, none, unusable, damaged };
[[nodiscard]] std::string key_path(const std::string& home, std::string_view name);
/// Its text, at most `bytes_max`; never `damaged`, which is the caller's to say. unusable and `why`: a link, another's,
/// readable or writable by others, too large.
[[nodiscard]] KeyState read_key_file(const std::string& home, std::string_view name, std::size_t bytes_max,
                                     std::string& text, std::string& why);
/// Makes the file with this text, whole and synced; of several that try at once one wins, the others answer false with
/// an empty `why`.
bool make_key_file(const std::string& home, std::string_view name, std::string_view text, std::string& why);

/// The key that signs receipts. `made`: it is new. nullptr and `why` where there is none to be had.
[[nodiscard]] std::unique_ptr<SigningKey> open_consent_key(const std::string& home, bool& made, std::string& why);
/// Its public half; none, or unusable, with a word why. Makes nothing.
[[nodiscard]] KeyState read_consent_public_key(const std::string& home, PublicKey& key, std::string& why);

}  // namespace honeylink::telemetry::audit
