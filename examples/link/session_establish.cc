// session.establish → policy.fetch, key.exchange, packet.send → physical.transmit. Established means: both sides hold
// the keys and the first encrypted packet was acknowledged.
#include "session.h"

namespace honeylink::link {

Session::Session(Shared& shared, int socket, std::string_view peer_id, std::uint64_t seed, const SessionTimes& times)
    : shared_(shared), socket_(socket), peer_id_(peer_id), seed_(seed), times_(times), id_(random_id()) {}

bool Session::establish() {
  const Time began = Clock::now();
  const auto span = kSessionTracer.scoped_span("session.establish", {{"peer", tel::hashed_id("device", peer_id_)}},
                                               {.new_root = true});
  std::string error;
  policy_ = shared_.policy.fetch(error);
  const bool agreed = policy_ && agree(error);
  if (!agreed || !confirm(error)) {
    abandon();
    return fail(*span, !policy_ ? "policy.fetch" : !agreed ? "key.exchange" : "packet.send", error);
  }
  const auto took = Clock::now() - began;
  established_ = span->context();
  meters().session_establishment.record(took);
  meters().sessions_established.add(1);
  shared_.stats.sessions_established.fetch_add(1);
  shared_.stats.establish_last_us.store(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  kSessionLog.info("session.established", {{"peer", tel::hashed_id("device", peer_id_)},
                                           {"duration_ms", std::chrono::duration<double, std::milli>(took).count()},
                                           {"policy.version", policy_->version}});
  return true;
}

bool Session::agree(std::string& error) {
  const auto span =
      kCryptoTracer.scoped_span("key.exchange", {{"crypto.kem", "X25519"}, {"crypto.aead", "ChaCha20-Poly1305"}},
                                {.kind = tel::SpanKind::client});
  const TraceFields trace = trace_fields(tel::Context::current());
  std::optional<Agreed> agreed =
      exchange_keys(socket_, id_, shared_.peer.public_key, trace, Clock::now() + times_.step_max, shared_.stop);
  if (!agreed) {
    error = "no answer to the key exchange";
    span->set_error(error);
    return false;
  }
  span->set_attribute("attempts", agreed->exchange.attempts);
  channel_.emplace(std::move(agreed->channel));
  round_trip_ = agreed->exchange.since_first;
  tracker_.emplace(times_.loss_timeout + 3 * round_trip_);
  return true;
}

bool Session::confirm(std::string& error) {
  const auto packet =
      kTransportTracer.scoped_span("packet.send", {{"priority", "control"}}, {.kind = tel::SpanKind::producer});
  const auto physical =
      kPhysicalTracer.scoped_span("physical.transmit", {{"network.transport", "udp"}}, {.kind = tel::SpanKind::client});
  const Message message{Kind::confirm, trace_fields(tel::Context::current()), {}};
  const Exchange exchange = repeat_until_answered(
      socket_, Clock::now() + times_.step_max, shared_.stop, [&] { return seal(message, Clock::now()); },
      [&](ByteView datagram) { return take(datagram) && acknowledged_ > 0; });
  physical->set_attribute("attempts", exchange.attempts);
  if (exchange.answered) return true;
  error = "first packet was not acknowledged";
  physical->set_error(error);
  packet->set_error(error);
  return false;
}

// A stopped run is not a failed session: it is neither counted nor shown as an error.
bool Session::fail(const tel::Span& span, std::string_view stage, std::string_view error) {
  if (shared_.stop.load()) return false;
  span.set_error(error);
  meters().sessions_failed.add(1);
  shared_.stats.sessions_failed.fetch_add(1);
  kSessionLog.error("session.failed",
                    {{"peer", tel::hashed_id("device", peer_id_)}, {"stage", stage}, {"error", error}});
  return false;
}

// What is still under way when a session is given up was not acknowledged, and will not be. A stopped run did not wait
// for it: then it is neither acknowledged nor lost.
void Session::abandon() {
  if (!tracker_ || shared_.stop.load()) return;
  tracker_->expire(Time::max(), [&](std::uint64_t counter) { lost(counter, Clock::now()); });
}

}  // namespace honeylink::link
