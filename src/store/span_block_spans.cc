// Makes spans of an opened block: ids, and items, of which only those columns are decoded that a span asked for has.
#include "store/span_block_state.h"

namespace honeylink::telemetry::store {

bool SpanBlockReader::State::load(std::uint32_t column) {
  const std::size_t at = streams.size() - items.size() + column;
  return columns.items(shapes.columns()[column], streams[at], values, items[column]);
}

void SpanBlockReader::State::pass(const SpanHead& head) noexcept {
  if (head.shape == ShapeTable::kNone) {
    raw_at += static_cast<std::size_t>(of(SpanStream::raw_sizes)[next_raw++]);
    return;
  }
  for (const std::uint32_t column : shapes.shapes()[head.shape].columns) ++items[column].next;
}

bool SpanBlockReader::State::make_items(const SpanHead& head, StoredSpan& span) {
  if (head.shape == ShapeTable::kNone) {
    span.items = Bytes(raw_items).subspan(raw_at, static_cast<std::size_t>(of(SpanStream::raw_sizes)[next_raw]));
    return true;
  }
  const ItemShape& shape = shapes.shapes()[head.shape];
  builder.begin();
  // A column may be named twice by a shape: each token takes the next value, and pass() is not called for this span.
  for (std::size_t i = 0; i < shape.tokens.size(); ++i) {
    const ItemType type = shape.tokens[i].item();
    ReadColumn& column = items[shape.columns[i]];
    if (!column.loaded && !load(shape.columns[i])) return false;
    const std::size_t at = column.next++;
    ItemValue value;
    if (column_has_numbers(type)) {
      if (at >= column.numbers.size()) return false;
      value.number = column.numbers[at];
    }
    if (type == ItemType::link) value.text = as_text(Bytes(column.links).subspan(at * kLinkIdBytes, kLinkIdBytes));
    else if (column_has_texts(type)) value.text = column.texts.at(at);
    if (type == ItemType::link && value.number > UINT32_MAX) return false;
    if (!builder.add(shape.tokens[i], value)) return false;
  }
  span.items = builder.finish();
  return span.items.size() <= kBlockSpanItemsMax;
}

bool SpanBlockReader::State::make_ids(const SpanHead& head, StoredSpan& span) const {
  const SpanRun& run = runs[head.run];
  span.trace = {head.foreign_form, run.source == 0 ? run.hi : 0, run.lo};
  if (head.foreign_form && run.source != 0) {
    const IdCipher* cipher = keys ? keys(run.source) : nullptr;
    if (cipher == nullptr) return false;
    span.trace = foreign_trace(cipher->trace_id(run.lo));
  }
  span.parent.present = head.parent_symbol != kParentNone;
  span.parent.value = head.parent_value;
  span.parent.foreign = head.parent_symbol == kParentForeign || head.parent_symbol == kParentOfRun;
  std::uint32_t source = run.source;
  if (head.parent_symbol >= kParentInRun) {
    const SpanHead& parent = heads[run.first + head.parent_run_index];
    span.parent.value = parent.counter;
    span.parent.foreign = parent.source != head.source;
    source = parent.source;
  }
  if (!span.parent.foreign || head.parent_symbol == kParentForeign) return true;
  const IdCipher* cipher = keys ? keys(source) : nullptr;
  if (cipher == nullptr) return false;
  span.parent.value = span_value(cipher->span_id(span.parent.value));
  return true;
}

SpanBlockReader::SpanBlockReader() : state_(std::make_unique<State>()) {}
SpanBlockReader::~SpanBlockReader() = default;
SpanBlockReader::SpanBlockReader(SpanBlockReader&&) noexcept = default;
SpanBlockReader& SpanBlockReader::operator=(SpanBlockReader&&) noexcept = default;

std::size_t SpanBlockReader::count() const noexcept { return state_->heads.size(); }
std::span<const SpanHead> SpanBlockReader::heads() const noexcept { return state_->heads; }
std::span<const SpanRun> SpanBlockReader::runs() const noexcept { return state_->runs; }

bool SpanBlockReader::read(std::size_t i, StoredSpan& span) {
  State& s = *state_;
  if (i >= s.heads.size() || i < s.next_span) return false;
  while (s.next_span < i) s.pass(s.heads[s.next_span++]);
  const SpanHead& head = s.heads[i];
  const ReadClass& c = s.classes[head.span_class];
  span = {};
  span.source = head.source, span.span = head.counter, span.name = head.name, span.scope = c.scope;
  span.kind = c.kind, span.status = head.status;
  span.kept = static_cast<Kept>(head.flags & 3U);
  span.unfinished = (head.flags & kPackedUnfinished) != 0, span.keep_trace = (head.flags & kPackedKeepTrace) != 0;
  span.slow = (head.flags & kPackedSlow) != 0, span.no_slot = (head.flags & kPackedNoSlot) != 0;
  span.start_unix_ns = head.start_unix_ns, span.duration_ns = head.duration_ns;
  span.dropped_attributes = head.dropped_attributes, span.dropped_events = head.dropped_events;
  ++s.next_span;
  if (!s.make_ids(head, span) || !s.make_items(head, span)) return s.heads.clear(), false;
  // Raw items were only looked at.
  if (head.shape == ShapeTable::kNone) s.pass(head);
  return true;
}

}  // namespace honeylink::telemetry::store
