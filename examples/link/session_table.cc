// See session_table.h. Order of the checks: cheap before costly, and nothing of a session changes before its AEAD has
// said yes.
#include "session_table.h"

#include <algorithm>

#include "instruments.h"

namespace honeylink::link {
namespace {
using std::chrono::milliseconds;
constexpr std::size_t kSessionsMax = 256;  // 32 workers × 5 s of forgetting leaves room; a flood of hellos gets no more
constexpr milliseconds kForgetAfter{5'000};  // late datagrams of a closed session still find it
constexpr milliseconds kReportAfter{20};
constexpr int kReportEvery = 8;  // far below the 256 that a report covers: a lost report costs nothing
constexpr milliseconds kNothingDue{100};
}  // namespace

void SessionTable::refuse(std::string_view reason) {
  ++refused_[reason];
  count_refused_datagram(reason);
}

void SessionTable::receive(ByteView datagram, const sockaddr_in& from, Time now) {
  const std::optional<Header> header = decode_header(datagram);
  if (!header) return refuse("short");
  if (header->type == Type::hello) return hello(*header, datagram, from, now);
  if (header->type == Type::data) return data(*header, datagram, from, now);
  refuse("type");
}

void SessionTable::hello(const Header& header, ByteView datagram, const sockaddr_in& from, Time now) {
  const std::optional<Hello> hello = decode_hello(datagram.subspan(kHeaderBytes));
  if (!hello || header.session == 0) return refuse("hello");
  if (const auto known = sessions_.find(header.session); known != sessions_.end()) {
    if (known->second.initiator != hello->key) return refuse("conflict");
    return send_(from, known->second.welcome);
  }
  if (sessions_.size() >= kSessionsMax) return refuse("full");
  const tel::Context sender = tel::extract(hello->trace);
  const auto span =
      kCryptoTracer.scoped_span("key.exchange.respond", {}, {.kind = tel::SpanKind::server, .parent = &sender});
  std::optional<Welcome> welcome = answer_hello(header.session, *hello, identity_);
  if (!welcome) {
    span->set_error("public key refused");
    return refuse("hello");
  }
  send_(from, welcome->datagram);
  sessions_.emplace(
      header.session,
      Session{std::move(welcome->channel), hello->key, std::move(welcome->datagram), from, {}, 0, {}, now});
}

void SessionTable::data(const Header& header, ByteView datagram, const sockaddr_in& from, Time now) {
  const auto found = sessions_.find(header.session);
  if (found == sessions_.end()) return refuse("session");
  Session& session = found->second;
  if (!session.window.is_fresh(header.counter)) return refuse("replayed");
  const std::optional<Bytes> plain = session.channel.open(datagram);
  if (!plain) return refuse("tampered");
  const std::optional<Message> message = decode_message(*plain);
  if (!message) return refuse("message");
  session.window.accept(header.counter);
  session.address = from;
  session.heard = now;
  ++accepted_;
  if (session.unreported++ == 0) session.report_at = now + kReportAfter;
  const bool at_once = message->kind != Kind::payload || session.unreported >= kReportEvery;
  if (message->trace.empty()) {
    if (at_once) report(session);
    return;
  }
  const tel::Context sender = tel::extract(message->trace);
  const auto span = kTransportTracer.scoped_span(
      "packet.receive", {{"packet.counter", header.counter}, {"packet.bytes", datagram.size()}},
      {.kind = tel::SpanKind::server, .parent = &sender});
  if (at_once) report(session);
}

void SessionTable::report(Session& session) {
  session.unreported = 0;
  send_(session.address, session.channel.seal(Type::report, encode(session.window.seen())));
}

void SessionTable::tick(Time now) {
  for (auto& [id, session] : sessions_) {
    if (session.unreported > 0 && now >= session.report_at) report(session);
  }
  std::erase_if(sessions_, [&](const auto& entry) { return now - entry.second.heard >= kForgetAfter; });
}

Time SessionTable::next_report(Time now) const {
  Time next = now + kNothingDue;
  for (const auto& [id, session] : sessions_) {
    if (session.unreported > 0) next = std::min(next, session.report_at);
  }
  return next;
}

}  // namespace honeylink::link
