// X25519 key agreement and ChaCha20-Poly1305 (IETF) per packet, by libsodium.
//
// The responder is known by a static key; both sides add an ephemeral one. Keys = BLAKE2b-512 over both shared secrets
// and everything public, so that each session and each direction has its own. The nonce is the packet's counter: a
// Channel never seals one twice. The initiator is not authenticated: this is a demonstration of measuring, not
// HoneyLink's pairing.
#pragma once
#include "wire.h"

namespace honeylink::link {

inline constexpr std::size_t kTagBytes = 16;

/// Once before anything else here; false where libsodium cannot work.
[[nodiscard]] bool crypto_ready() noexcept;
[[nodiscard]] std::uint64_t random_id() noexcept;  // never 0

/// An X25519 key pair. Secret bytes are wiped at the end of its life.
class KeyPair {
 public:
  KeyPair() noexcept;  // fresh
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;
  ~KeyPair();
  [[nodiscard]] const KeyBytes& public_key() const noexcept { return public_; }
  [[nodiscard]] const KeyBytes& secret_key() const noexcept { return secret_; }

 private:
  KeyBytes public_{}, secret_{};
};

/// Both directions of one established session. Belongs to one thread. Movable, so that the secrets exist once.
class Channel {
 public:
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  ~Channel();

  /// A whole datagram: header with the next counter of this direction, then the sealed text.
  [[nodiscard]] Bytes seal(Type type, ByteView plain);
  /// The text of a datagram; nullopt where it was changed on its way, or is not from the other side.
  [[nodiscard]] std::optional<Bytes> open(ByteView datagram) const;
  [[nodiscard]] std::uint64_t next_counter() const noexcept { return counter_; }
  [[nodiscard]] std::uint64_t session() const noexcept { return session_; }

 private:
  friend std::optional<Channel> agree_as_initiator(std::uint64_t, const KeyPair&, const KeyBytes&, const KeyBytes&);
  friend std::optional<Channel> agree_as_responder(std::uint64_t, const KeyPair&, const KeyPair&, const KeyBytes&);
  Channel() = default;
  std::uint64_t session_ = 0;
  std::uint64_t counter_ = 0;
  KeyBytes send_{}, receive_{};
};

/// nullopt where a public key is of low order (it would make the secret known to everyone).
[[nodiscard]] std::optional<Channel> agree_as_initiator(std::uint64_t session, const KeyPair& mine,
                                                        const KeyBytes& responder_static,
                                                        const KeyBytes& responder_ephemeral);
[[nodiscard]] std::optional<Channel> agree_as_responder(std::uint64_t session, const KeyPair& identity,
                                                        const KeyPair& ephemeral, const KeyBytes& initiator);

}  // namespace honeylink::link
