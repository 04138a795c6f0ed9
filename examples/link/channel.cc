// See channel.h.
#include "channel.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace honeylink::link {
namespace {

static_assert(kKeyBytes == crypto_scalarmult_BYTES && kKeyBytes == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
static_assert(kTagBytes == crypto_aead_chacha20poly1305_ietf_ABYTES);

using Nonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;
Nonce nonce_of(std::uint64_t counter) noexcept {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  return nonce;
}

struct SessionKeys {
  KeyBytes to_responder{}, to_initiator{};
};
struct Publics {
  const KeyBytes &responder_static, &initiator, &responder_ephemeral;
};

SessionKeys derive(std::uint64_t session, const Publics& publics, const KeyBytes& with_static,
                   const KeyBytes& with_ephemeral) noexcept {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 2 * kKeyBytes);
  constexpr char kDomain[] = "honeylink link v1";
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(kDomain), sizeof kDomain);
  std::array<std::uint8_t, 8> id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::uint8_t>(session >> (8 * i));
  crypto_generichash_update(&state, id.data(), id.size());
  for (const KeyBytes* part :
       {&publics.responder_static, &publics.initiator, &publics.responder_ephemeral, &with_static, &with_ephemeral}) {
    crypto_generichash_update(&state, part->data(), part->size());
  }
  std::array<std::uint8_t, 2 * kKeyBytes> out{};
  crypto_generichash_final(&state, out.data(), out.size());
  SessionKeys keys;
  std::copy_n(out.begin(), kKeyBytes, keys.to_responder.begin());
  std::copy_n(out.begin() + kKeyBytes, kKeyBytes, keys.to_initiator.begin());
  sodium_memzero(out.data(), out.size());
  sodium_memzero(&state, sizeof state);
  return keys;
}

}  // namespace

bool crypto_ready() noexcept { return sodium_init() >= 0; }

std::uint64_t random_id() noexcept {
  std::uint64_t id = 0;
  while (id == 0) randombytes_buf(&id, sizeof id);
  return id;
}

KeyPair::KeyPair() noexcept { crypto_box_keypair(public_.data(), secret_.data()); }
KeyPair::~KeyPair() { sodium_memzero(secret_.data(), secret_.size()); }

Channel::Channel(Channel&& other) noexcept { *this = std::move(other); }
Channel& Channel::operator=(Channel&& other) noexcept {
  if (this == &other) return *this;
  session_ = other.session_;
  counter_ = other.counter_;
  send_ = other.send_;
  receive_ = other.receive_;
  sodium_memzero(other.send_.data(), kKeyBytes);
  sodium_memzero(other.receive_.data(), kKeyBytes);
  return *this;
}
Channel::~Channel() {
  sodium_memzero(send_.data(), kKeyBytes);
  sodium_memzero(receive_.data(), kKeyBytes);
}

Bytes Channel::seal(Type type, ByteView plain) {
  const Header header{type, session_, counter_++};
  const HeaderBytes head = encode(header);
  const Nonce nonce = nonce_of(header.counter);
  Bytes out(kHeaderBytes + plain.size() + kTagBytes);
  std::memcpy(out.data(), head.data(), kHeaderBytes);
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data() + kHeaderBytes, nullptr, plain.data(), plain.size(), head.data(),
                                            head.size(), nullptr, nonce.data(), send_.data());
  return out;
}

std::optional<Bytes> Channel::open(ByteView datagram) const {
  const std::optional<Header> header = decode_header(datagram);
  if (!header || header->session != session_ || datagram.size() < kHeaderBytes + kTagBytes) return std::nullopt;
  const ByteView sealed = datagram.subspan(kHeaderBytes);
  const Nonce nonce = nonce_of(header->counter);
  Bytes plain(sealed.size() - kTagBytes);
  const int bad =
      crypto_aead_chacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                datagram.data(), kHeaderBytes, nonce.data(), receive_.data());
  if (bad != 0) return std::nullopt;
  return plain;
}

std::optional<Channel> agree_as_initiator(std::uint64_t session, const KeyPair& mine, const KeyBytes& responder_static,
                                          const KeyBytes& responder_ephemeral) {
  KeyBytes with_static{}, with_ephemeral{};
  if (crypto_scalarmult(with_static.data(), mine.secret_key().data(), responder_static.data()) != 0)
    return std::nullopt;
  if (crypto_scalarmult(with_ephemeral.data(), mine.secret_key().data(), responder_ephemeral.data()) != 0)
    return std::nullopt;
  const SessionKeys keys =
      derive(session, {responder_static, mine.public_key(), responder_ephemeral}, with_static, with_ephemeral);
  Channel channel;
  channel.session_ = session;
  channel.counter_ = 1;
  channel.send_ = keys.to_responder;
  channel.receive_ = keys.to_initiator;
  return channel;
}

std::optional<Channel> agree_as_responder(std::uint64_t session, const KeyPair& identity, const KeyPair& ephemeral,
                                          const KeyBytes& initiator) {
  KeyBytes with_static{}, with_ephemeral{};
  if (crypto_scalarmult(with_static.data(), identity.secret_key().data(), initiator.data()) != 0) return std::nullopt;
  if (crypto_scalarmult(with_ephemeral.data(), ephemeral.secret_key().data(), initiator.data()) != 0)
    return std::nullopt;
  const SessionKeys keys =
      derive(session, {identity.public_key(), initiator, ephemeral.public_key()}, with_static, with_ephemeral);
  Channel channel;
  channel.session_ = session;
  channel.counter_ = 0;  // the welcome's tag takes 0; its text is empty
  channel.send_ = keys.to_initiator;
  channel.receive_ = keys.to_responder;
  return channel;
}

}  // namespace honeylink::link
