// See handshake.h.
#include "handshake.h"

#include <algorithm>

namespace honeylink::link {
namespace {

Bytes with_header(const Header& header, const Bytes& body) {
  const HeaderBytes head = encode(header);
  Bytes out(head.size() + body.size());
  std::ranges::copy(body, std::ranges::copy(head, out.begin()).out);
  return out;
}

// A welcome's tag seals an empty text under its header; the key stands between the two.
std::optional<Channel> accept_welcome(ByteView datagram, std::uint64_t session, const KeyPair& mine,
                                      const KeyBytes& responder) {
  const std::optional<Header> header = decode_header(datagram);
  if (!header || header->type != Type::welcome || header->session != session) return std::nullopt;
  if (datagram.size() != kHeaderBytes + kKeyBytes + kTagBytes) return std::nullopt;
  KeyBytes ephemeral{};
  std::ranges::copy(datagram.subspan(kHeaderBytes, kKeyBytes), ephemeral.begin());
  std::optional<Channel> channel = agree_as_initiator(session, mine, responder, ephemeral);
  if (!channel) return std::nullopt;
  Bytes sealed(datagram.begin(), datagram.begin() + kHeaderBytes);
  sealed.insert(sealed.end(), datagram.end() - kTagBytes, datagram.end());
  if (!channel->open(sealed)) return std::nullopt;
  return channel;
}

}  // namespace

Exchange repeat_until_answered(int fd, Time deadline, const std::atomic<bool>& stop, const std::function<Bytes()>& make,
                               const std::function<bool(ByteView)>& accept) {
  using std::chrono::milliseconds;
  constexpr milliseconds kStopIsSeenWithin{100};
  Exchange exchange;
  std::chrono::nanoseconds patience = milliseconds(80);
  std::array<std::uint8_t, kDatagramBytesMax> buffer{};
  const Time began = Clock::now();
  Time repeat_at = began;
  while (!stop.load()) {
    const Time now = Clock::now();
    if (now >= deadline) break;
    if (now >= repeat_at) {
      static_cast<void>(send(fd, make()));  // refused by the kernel is as good as lost: repeated
      ++exchange.attempts;
      repeat_at = now + patience;
      patience += patience / 2;
    }
    if (!wait_readable(fd, std::min({repeat_at, deadline, now + kStopIsSeenWithin}))) continue;
    const ByteView got = receive(fd, buffer);
    if (got.empty() || !accept(got)) continue;
    exchange.answered = true;
    break;
  }
  exchange.since_first = Clock::now() - began;
  return exchange;
}

std::optional<Agreed> exchange_keys(int fd, std::uint64_t session, const KeyBytes& responder, const TraceFields& trace,
                                    Time deadline, const std::atomic<bool>& stop) {
  const KeyPair mine;
  const Bytes hello = with_header({Type::hello, session, 0}, encode(Hello{mine.public_key(), trace}));
  std::optional<Channel> channel;
  const Exchange exchange = repeat_until_answered(
      fd, deadline, stop, [&] { return hello; },
      [&](ByteView datagram) {
        channel = accept_welcome(datagram, session, mine, responder);
        return channel.has_value();
      });
  if (!channel) return std::nullopt;
  return Agreed{std::move(*channel), exchange};
}

std::optional<Welcome> answer_hello(std::uint64_t session, const Hello& hello, const KeyPair& identity) {
  const KeyPair ephemeral;
  std::optional<Channel> channel = agree_as_responder(session, identity, ephemeral, hello.key);
  if (!channel) return std::nullopt;
  Bytes datagram = channel->seal(Type::welcome, {});
  datagram.insert(datagram.begin() + kHeaderBytes, ephemeral.public_key().begin(), ephemeral.public_key().end());
  return Welcome{std::move(*channel), std::move(datagram)};
}

}  // namespace honeylink::link
