// See keys.h.
#include "audit/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/text.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::string_view kConsentKey = "consent.key";
constexpr std::string_view kHead = "honeylink-signing-key 1 ";  // then 64 hex digits and a line feed
constexpr std::size_t kTextBytes = kHead.size() + 2 * kSeedBytes + 1;
static_assert(kSeedBytes == crypto_sign_SEEDBYTES && kPublicKeyBytes == crypto_sign_PUBLICKEYBYTES &&
              kSignatureBytes == crypto_sign_BYTES && kHashBytes == crypto_hash_sha256_BYTES &&
              kSeedBytes + kPublicKeyBytes == crypto_sign_SECRETKEYBYTES);

bool ready() noexcept { return sodium_init() >= 0; }

std::string message_of(std::string_view domain, std::string_view bytes) {
  std::string message;
  message.reserve(domain.size() + 1 + bytes.size());
  return message.append(domain).append(1, '\n').append(bytes);
}

const unsigned char* raw(std::string_view text) noexcept { return reinterpret_cast<const unsigned char*>(text.data()); }

KeyState read_consent_seed(const std::string& home, Seed& seed, std::string& why) {
  std::string text;
  const KeyState state = read_key_file(home, kConsentKey, kTextBytes, text, why);
  if (state != KeyState::ready) return state;
  const std::string_view all(text);
  const bool sound = all.size() == kTextBytes && all.starts_with(kHead) && all.back() == '\n' &&
                     unhex(all.substr(kHead.size(), 2 * kSeedBytes), seed);
  wipe(text);
  if (sound) return KeyState::ready;
  why = key_path(home, kConsentKey) + " is damaged; without it no consent counts";
  return KeyState::unusable;
}

}  // namespace

std::unique_ptr<SigningKey> SigningKey::make() {
  if (!ready()) return nullptr;
  Seed seed{};
  randombytes_buf(seed.data(), seed.size());
  auto key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

std::unique_ptr<SigningKey> SigningKey::from_seed(const Seed& seed) {
  if (!ready()) return nullptr;
  auto key = std::unique_ptr<SigningKey>(new SigningKey);
  if (crypto_sign_seed_keypair(key->public_.data(), key->secret_.data(), seed.data()) != 0) return nullptr;
  return key;
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

Signature SigningKey::sign(std::string_view domain, std::string_view bytes) const {
  const std::string message = message_of(domain, bytes);
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, raw(message), message.size(), secret_.data());
  return signature;
}

Seed SigningKey::seed() const noexcept {
  Seed seed{};
  crypto_sign_ed25519_sk_to_seed(seed.data(), secret_.data());
  return seed;
}

bool verify(const PublicKey& key, std::string_view domain, std::string_view bytes, const Signature& signature) {
  if (!ready()) return false;
  const std::string message = message_of(domain, bytes);
  return crypto_sign_verify_detached(signature.data(), raw(message), message.size(), key.data()) == 0;
}

Hash sha256(std::string_view bytes) {
  Hash hash{};
  crypto_hash_sha256(hash.data(), raw(bytes), bytes.size());
  return hash;
}

void fill_random(void* to, std::size_t bytes) {
  if (ready()) randombytes_buf(to, bytes);
}

void wipe(std::string& secret) noexcept {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

std::string key_path(const std::string& home, std::string_view name) { return home + "/keys/" + std::string(name); }

KeyState read_key_file(const std::string& home, std::string_view name, std::size_t bytes_max, std::string& text,
                       std::string& why) {
  const std::string path = key_path(home, name);
  errno = 0;
  const Fd file = open_file(path, O_RDONLY, 0, why);
  if (!file) return errno == ENOENT ? (why.clear(), KeyState::none) : KeyState::unusable;
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || (info.st_mode & 0077) != 0)
    return why = path + " may be read or written by others; a key is for its owner only", KeyState::unusable;
  if (info.st_size < 0 || static_cast<std::size_t>(info.st_size) > bytes_max)
    return why = path + " is larger than a key", KeyState::unusable;
  text.resize(static_cast<std::size_t>(info.st_size));
  if (!read_exactly(file.get(), text.data(), text.size(), 0))
    return why = "cannot read " + path + ": " + std::strerror(errno), KeyState::unusable;
  return KeyState::ready;
}

bool make_key_file(const std::string& home, std::string_view name, std::string_view text, std::string& why) {
  const std::string path = key_path(home, name);
  std::string directory = home + "/keys";
  if (!make_private_directory(home, why) || !make_private_directory(directory, why)) return false;
  // A name of its own for each maker: two threads of one process may try at once.
  std::array<std::uint8_t, 8> random{};
  fill_random(random.data(), random.size());
  const std::string beside = path + ".new-" + hex(random);
  if (!replace_file(beside, text, 0600, why)) return false;
  const bool won = ::link(beside.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(beside.c_str());
  if (!won) {
    if (error != EEXIST) why = "cannot make " + path + ": " + std::strerror(error);
    return false;
  }
  const Fd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  return true;
}

std::unique_ptr<SigningKey> open_consent_key(const std::string& home, bool& made, std::string& why) {
  made = false;
  Seed seed{};
  KeyState state = read_consent_seed(home, seed, why);
  if (state == KeyState::none) {
    const auto fresh = SigningKey::make();
    if (fresh == nullptr) return why = "libsodium does not start", nullptr;
    seed = fresh->seed();
    std::string text = std::string(kHead) + hex(seed) + "\n";
    made = make_key_file(home, kConsentKey, text, why);
    wipe(text);
    if (!made && !why.empty()) return nullptr;
    state = made ? KeyState::ready : read_consent_seed(home, seed, why);
  }
  auto key = state == KeyState::ready ? SigningKey::from_seed(seed) : nullptr;
  sodium_memzero(seed.data(), seed.size());
  if (key == nullptr && why.empty()) why = "there is no key";
  return key;
}

KeyState read_consent_public_key(const std::string& home, PublicKey& key, std::string& why) {
  Seed seed{};
  const KeyState state = read_consent_seed(home, seed, why);
  if (state != KeyState::ready) return state;
  const auto whole = SigningKey::from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  if (whole == nullptr) return why = "libsodium does not start", KeyState::unusable;
  key = whole->public_key();
  return KeyState::ready;
}

}  // namespace honeylink::telemetry::audit
