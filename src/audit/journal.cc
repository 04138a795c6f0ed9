// See journal.h.
#include "audit/journal.h"

#include <exception>
#include <utility>

#include "audit/session.h"

namespace honeylink::telemetry::audit {

Journal::Journal(std::string home, const Clock& clock, std::int64_t lock_wait_ms)
    : home_(std::move(home)), clock_(clock), lock_wait_ms_(lock_wait_ms) {}

bool Journal::write(std::string_view event, Context context, Result result, bool ends_epoch, std::string& why,
                    End* end) const try {
  why.clear();
  Session session(home_, clock_);
  if (!session.open(lock_wait_ms_, why)) return false;
  const bool said = event == "clock.step" && session.has_said_clock_step();
  if (!said && !session.emit(event, std::move(context), result, ends_epoch, why)) return false;
  return session.finish(end, why);
} catch (const std::exception& error) { return why = error.what(), false; }

bool Journal::append(std::string_view event, Context context, Result result, std::string& why, End* end) const {
  return write(event, std::move(context), result, false, why, end);
}
bool Journal::heartbeat(std::string& why, End* end) const {
  return write("journal.heartbeat", {}, Result::ok, true, why, end);
}
bool Journal::close(std::string& why, End* end) const { return write("journal.end", {}, Result::ok, true, why, end); }

}  // namespace honeylink::telemetry::audit
