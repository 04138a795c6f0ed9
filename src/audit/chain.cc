// See chain.h.
#include "audit/chain.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace honeylink::telemetry::audit {
namespace {

std::string numbers(std::uint64_t first, std::uint64_t last) {
  return first == last ? "entry " + std::to_string(first)
                       : "entries " + std::to_string(first) + " to " + std::to_string(last);
}

bool is_beginning(const Entry& entry) noexcept {
  return entry.event == "journal.begin" || entry.event == "journal.file";
}

}  // namespace

std::string_view name_of(Fault fault) noexcept {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Fault::unsigned_end) + 1> kNames{
      "not_an_entry", "missing",      "out_of_place", "broken_chain", "bad_signature", "bad_time",    "unvouched",
      "cut_off",      "contradicted", "head",         "key",          "unreadable",    "unsigned_end"};
  return kNames[static_cast<std::size_t>(fault)];
}

void Chain::expect(const Anchor& anchor) {
  if (anchor.seq != 0) by_seq_.emplace(anchor.seq, anchors_.size());
  anchors_.push_back({anchor});
}

void Chain::find(Fault fault, std::uint64_t seq, std::string what) {
  ++to_.findings_total;
  if (to_.findings.size() < kFindingsMax) to_.findings.push_back({fault, file_, line_, seq, std::move(what)});
}

void Chain::take(std::string_view line, std::uint64_t number) {
  line_ = number, ++in_file_;
  Entry entry;
  std::string why;
  const Hash hash = sha256(line);
  to_.head = hash;
  to_.ended = false;
  if (!read_entry(line, entry, why)) {
    find(Fault::not_an_entry, to_.last_seq + 1, why);
    // It stood for one entry; what follows is held against its bytes as they are.
    prev_ = hash, any_ = true, ++to_.last_seq;
    return;
  }
  if (to_.entries++ == 0 && !any_) begin(entry);
  else check_place(entry);
  check_key(entry);
  check_time(entry);
  any_ = true, prev_ = hash;
  to_.last_seq = std::max(to_.last_seq, entry.seq);
  to_.ended = entry.event == "journal.end";
  if (entry.event == "journal.pruned") {
    const std::string_view text = entry.of("up_to_seq");
    std::uint64_t up_to = 0;
    std::from_chars(text.data(), text.data() + text.size(), up_to);
    pruned_up_to_ = std::max(pruned_up_to_, up_to);
  }
  const auto [from, to] = by_seq_.equal_range(entry.seq);
  for (auto at = from; at != to; ++at) {
    Waiting& waiting = anchors_[at->second];
    (waiting.anchor.hash == hash ? waiting.holds : waiting.contradicted) = true;
  }
  for (Waiting& waiting : anchors_)
    if (waiting.anchor.seq == 0 && waiting.anchor.hash == hash) waiting.holds = true;
}

void Chain::begin(const Entry& entry) {
  to_.first_seq = entry.seq;
  to_.first_unix_ns = entry.time_unix_ns;
  to_.began_here = entry.seq == 1;
  epoch_ = entry.epoch;
  to_.epochs = 1;
  to_.epoch_began_unix_ns = to_.began_here ? entry.time_unix_ns : 0;
  PublicKey key{};
  if (is_beginning(entry) && unhex(entry.of("key"), key)) key_ = key;
  else find(Fault::unvouched, entry.seq, "the log does not begin with its key: what stood before it is gone");
}

void Chain::check_place(const Entry& entry) {
  const std::uint64_t next = to_.last_seq + 1;
  if (entry.seq > next)
    find(Fault::missing, next, numbers(next, entry.seq - 1) + (next == entry.seq - 1 ? " is" : " are") + " missing");
  else if (entry.seq < next) find(Fault::out_of_place, entry.seq, numbers(entry.seq, entry.seq) + " stands here again");
  if (entry.prev != prev_) find(Fault::broken_chain, entry.seq, "it does not follow what stands before it");
  if (in_file_ == 1 && entry.event != "journal.file")
    find(Fault::out_of_place, entry.seq, "a file of the log does not begin with this");
}

void Chain::check_key(const Entry& entry) {
  if (next_key_) {
    key_ = std::exchange(next_key_, std::nullopt);
    ++epoch_, ++to_.epochs;
  }
  PublicKey named{};
  const bool names_one = is_beginning(entry) && unhex(entry.of("key"), named);
  if (any_ && entry.event == "journal.begin") {
    find(Fault::unvouched, entry.seq, "from here on another key signs, and nothing vouches for it");
    epoch_ = entry.epoch, ++to_.epochs;
    if (names_one) key_ = named;
  } else if (entry.epoch != epoch_) {
    find(Fault::unvouched, entry.seq,
         "what certifies the key of epoch " + std::to_string(entry.epoch) + " is not here");
    epoch_ = entry.epoch;
    key_ = std::nullopt;
    to_.epoch_began_unix_ns = 0;
    if (names_one) key_ = named;
  } else if (names_one && key_ && named != *key_) {
    find(Fault::bad_signature, entry.seq, "it names another key than the one that is in force");
  }
  if (key_ && !is_signed_by(entry, *key_)) find(Fault::bad_signature, entry.seq, "its signature does not fit");
  next_key_ = entry.next_key;
}

void Chain::check_time(const Entry& entry) {
  const bool steps = entry.event == "clock.step";
  if (any_ && !steps && entry.time_unix_ns < to_.last_unix_ns)
    find(Fault::bad_time, entry.seq, "it is older than the entry before it");
  if (steps && entry.time_unix_ns < to_.last_unix_ns && !entry.next_key)
    find(Fault::bad_time, entry.seq, "a clock that went back ends its epoch");
  const std::int64_t began = to_.epoch_began_unix_ns;
  if (!entry.next_key && began != 0 && entry.time_unix_ns >= began + kEpochNs)
    find(Fault::bad_time, entry.seq, "it is later than its epoch");
  to_.last_unix_ns = entry.time_unix_ns;
  if (entry.next_key || entry.event == "journal.begin") to_.epoch_began_unix_ns = entry.time_unix_ns;
}

void Chain::judge_anchors() {
  line_ = 0, file_.clear();
  if (to_.entries > 0 && !to_.began_here && pruned_up_to_ + 1 < to_.first_seq)
    find(Fault::missing, pruned_up_to_ + 1,
         numbers(pruned_up_to_ + 1, to_.first_seq - 1) + ": no entry says that they were deleted after a year");
  std::uint64_t cut_off = 0;
  std::string by;
  for (const Waiting& waiting : anchors_) {
    const Anchor& anchor = waiting.anchor;
    AnchorState state = AnchorState::gone;
    if (waiting.contradicted || (anchor.seq == 0 && !waiting.holds)) state = AnchorState::contradicted;
    else if (waiting.holds) state = AnchorState::holds;
    else if (to_.entries > 0 && anchor.seq < to_.first_seq) state = AnchorState::not_kept;
    if (state == AnchorState::contradicted)
      find(Fault::contradicted, anchor.seq,
           anchor.where + (anchor.seq == 0 ? ": no entry has this hash"
                                           : ": " + numbers(anchor.seq, anchor.seq) + " was another one"));
    if (state == AnchorState::gone && anchor.seq > cut_off) cut_off = anchor.seq, by = anchor.where;
    to_.anchors.emplace_back(anchor, state);
  }
  if (cut_off > 0) find(Fault::cut_off, cut_off, by + ": there was " + numbers(cut_off, cut_off) + ", and it is gone");
  if (next_key_) key_ = std::exchange(next_key_, std::nullopt), ++epoch_;
}

}  // namespace honeylink::telemetry::audit
