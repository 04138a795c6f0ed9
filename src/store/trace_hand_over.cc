// See span_hand_over.h.
#include "store/trace_state.h"

namespace honeylink::telemetry::store {

void TraceStore::tell_names(bool on) {
  State& s = *state_;
  s.told = {};
  s.tells = on;
  // Ids that were found earlier are remembered where nobody is told; what is committed can be read.
  if (!on) return;
  s.told.texts = s.new_texts, s.told.scopes = s.new_scopes, s.told.sources = s.new_sources;
}

std::uint64_t TraceStore::spans_stored() const noexcept { return state_->stored; }

bool TraceStore::hand_over(SpanHandOver& to) {
  State& s = *state_;
  const std::size_t spans = s.blob.count() - s.handed_spans;
  if (spans == 0) return false;
  const auto bytes = s.blob.spans_from(s.handed_bytes);
  to.first = s.stored + s.handed_spans;
  to.count = static_cast<std::uint32_t>(spans);
  to.base_unix_ns = s.blob.base_unix_ns();
  to.bytes.assign(bytes.begin(), bytes.end());
  to.names = std::exchange(s.told, {});
  s.handed_bytes += bytes.size(), s.handed_spans += spans;
  return true;
}

void TraceStore::set_span_groups(SpanGroup group_of) { state_->packer.set_groups(std::move(group_of)); }

}  // namespace honeylink::telemetry::store
