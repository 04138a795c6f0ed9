// session.transfer: traffic → QoS scheduler → seal → send; reports come back, what they never name is lost. One packet
// in 40 carries its trace across: packet.send → physical.transmit → (responder) packet.receive.
#include "session.h"
#include "traffic.h"

namespace honeylink::link {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kTick{8};
constexpr milliseconds kProbeEvery{40};
constexpr milliseconds kQueueEmptiesWithin{300};
constexpr std::uint64_t kTraceOneIn = 40;

std::string_view name(Priority priority) noexcept {
  return priority == Priority::control ? "control" : priority == Priority::realtime ? "realtime" : "bulk";
}
}  // namespace

bool Session::transfer() {
  const auto span = kSessionTracer.scoped_span("session.transfer", {{"peer", tel::hashed_id("device", peer_id_)}},
                                               {.new_root = true, .links = {{established_}}});
  meters().sessions_open.add(1);
  shared_.stats.sessions_open.fetch_add(1);
  const Time now = Clock::now();
  scheduler_.emplace(policy_->queue_packets_max, shared_.options.bandwidth_bytes_per_s, 4.0 * kBodyBytesMax, now);
  const bool alive = send_until(std::min(now + times_.transfer, shared_.end)) && drain();
  discard_queue();
  if (alive) static_cast<void>(send(socket_, channel_->seal(Type::data, encode(Message{Kind::close, {}, {}}))));
  abandon();
  span->set_attributes({{"packets.sent", sent_},
                        {"packets.acknowledged", acknowledged_},
                        {"packets.lost", lost_},
                        {"qos.dropped", dropped_}});
  meters().sessions_open.add(-1);
  shared_.stats.sessions_open.fetch_sub(1);
  return alive || fail(*span, "session.transfer", "link went silent");
}

bool Session::send_until(Time until) {
  Traffic traffic(shared_.options.packets_per_s, policy_->packet_bytes_max, seed_, Clock::now());
  while (!shared_.stop.load()) {
    const Time now = Clock::now();
    if (now >= until) return true;
    traffic.due(now, [&](QueuedPacket packet) { offer(packet); });
    while (const std::optional<QueuedPacket> packet = scheduler_->next(now)) transmit(*packet, now);
    read_reports(now + kTick);
    expire(Clock::now());
    if (tracker_->silence(Clock::now()) >= silence_max()) return false;
  }
  return true;
}

// The queue gets a moment to empty; what then remains is dropped, so that offered = sent + dropped. The last packets'
// reports may themselves be lost: probes ask again until everything is acknowledged or its time is over.
bool Session::drain() {
  Time probe_at = Clock::now();
  const Time queue_until = probe_at + kQueueEmptiesWithin;
  while ((!tracker_->idle() || scheduler_->size() > 0) && !shared_.stop.load()) {
    const Time now = Clock::now();
    while (const std::optional<QueuedPacket> packet = scheduler_->next(now)) transmit(*packet, now);
    if (now >= queue_until) discard_queue();
    if (now >= probe_at) {
      static_cast<void>(send(socket_, channel_->seal(Type::data, encode(Message{Kind::probe, {}, {}}))));
      probe_at = now + kProbeEvery;
    }
    read_reports(std::min(probe_at, now + kTick));
    expire(Clock::now());
  }
  return tracker_->silence(Clock::now()) < silence_max();
}

void Session::offer(QueuedPacket packet) {
  meters().qos_packets.add(1);
  shared_.stats.qos_offered.fetch_add(1);
  if (const std::optional<QueuedPacket> out = scheduler_->offer(packet)) dropped(*out);
}

void Session::discard_queue() {
  while (const std::optional<QueuedPacket> packet = scheduler_->discard()) dropped(*packet);
}

void Session::dropped(QueuedPacket packet) {
  ++dropped_;
  meters().qos_dropped.add(1);
  shared_.stats.qos_dropped.fetch_add(1);
  if (const auto left_out = shared_.dropped_said.permit(Clock::now())) {
    kQosLog.warn("qos.dropped",
                 {{"priority", name(packet.priority)}, {"queued", scheduler_->size()}, {"left_out", *left_out}});
  }
}

Bytes Session::seal(const Message& message, Time now) {
  const std::uint64_t counter = channel_->next_counter();
  const Bytes plain = encode(message);
  const Time began = Clock::now();
  Bytes datagram = channel_->seal(Type::data, plain);
  meters().encryption.record(Clock::now() - began);
  tracker_->sent(counter, now);
  ++sent_;
  meters().packets_sent.add(1);
  shared_.stats.packets_sent.fetch_add(1);
  return datagram;
}

void Session::transmit(QueuedPacket packet, Time now) {
  Message message{Kind::payload, {}, Bytes(packet.bytes, static_cast<std::uint8_t>(packet.priority))};
  const std::uint64_t counter = channel_->next_counter();
  if (sent_ % kTraceOneIn == 1) {
    Traced traced;
    traced.send = kTransportTracer.start_span("packet.send",
                                              {{"priority", name(packet.priority)}, {"packet.bytes", packet.bytes}},
                                              {.kind = tel::SpanKind::producer});
    const tel::Context parent(traced.send.context());
    traced.transmit =
        kPhysicalTracer.start_span("physical.transmit", {{"network.transport", "udp"}, {"packet.counter", counter}},
                                   {.kind = tel::SpanKind::client, .parent = &parent});
    message.trace = trace_fields(tel::Context(traced.transmit.context()));
    traced_.emplace(counter, std::move(traced));
  }
  static_cast<void>(
      send(socket_, seal(message, now)));  // refused by the kernel: never acknowledged, so counted as lost
}

bool Session::take(ByteView datagram) {
  const std::optional<Header> header = decode_header(datagram);
  if (!header || header->type != Type::report || header->session != id_ || !reports_.is_fresh(header->counter))
    return false;
  const std::optional<Bytes> plain = channel_->open(datagram);
  const std::optional<Report> report = plain ? decode_report(*plain) : std::nullopt;
  if (!report) {
    count_refused_datagram("tampered");
    return false;
  }
  reports_.accept(header->counter);
  tracker_->report(*report, [&](std::uint64_t counter) { acknowledged(counter); });
  return true;
}

void Session::read_reports(Time until) {
  std::array<std::uint8_t, kDatagramBytesMax> buffer{};
  while (wait_readable(socket_, until)) {
    const ByteView got = receive(socket_, buffer);
    if (!got.empty()) take(got);
    if (Clock::now() >= until) return;
  }
}

void Session::expire(Time now) {
  tracker_->expire(now, [&](std::uint64_t counter) { lost(counter, now); });
}

void Session::acknowledged(std::uint64_t counter) {
  ++acknowledged_;
  shared_.stats.packets_acknowledged.fetch_add(1);
  traced_.erase(counter);  // both spans end here, the inner one first
}

void Session::lost(std::uint64_t counter, Time now) {
  ++lost_;
  meters().packets_lost.add(1);
  shared_.stats.packets_lost.fetch_add(1);
  if (const auto left_out = shared_.lost_said.permit(now)) {
    kTransportLog.warn(
        "packet.lost",
        {{"peer", tel::hashed_id("device", peer_id_)}, {"packet.counter", counter}, {"left_out", *left_out}});
  }
  const auto traced = traced_.find(counter);
  if (traced == traced_.end()) return;
  traced->second.transmit.set_error("not acknowledged in time");
  traced->second.send.set_error("packet lost");
  traced_.erase(traced);
}

}  // namespace honeylink::link
