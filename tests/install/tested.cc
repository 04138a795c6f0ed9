// A foreign unit test: what was recorded can be read back through the installed honeylink::testing.
#include <honeylink/telemetry.h>
#include <honeylink/testing.h>

namespace tel = honeylink::telemetry;

int main() {
  const tel::testing::Capture capture;
  { const auto span = tel::scoped_span("foreign.work"); }
  const auto spans = capture.spans();
  return spans.size() == 1 && spans[0].name == "foreign.work" ? 0 : 1;
}
