// For the page's tests (web/test): records what a demo does not. Usage: page_data HOME big SPANS | hostile | pulse
// COUNT MS. big: one trace of SPANS spans, three deep, one in 997 failed. hostile: every payload below as attribute,
// event, message, name and log. pulse: COUNT slow session establishments, MS apart, each with its trace.
#include <honeylink/telemetry.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace tel = honeylink::telemetry;
constinit tel::Tracer tracer;
constinit tel::DurationHistogram establishment{"session_establishment_duration_seconds", "s"};

namespace {

using namespace std::chrono_literals;
constexpr int kChildren = 99;

// Markup that runs in careless pages, escapes that move a terminal, characters that reorder or hide text.
constexpr const char* kPayloads[] = {
    "<script>globalThis.hit=1</script>",
    "<img src=x onerror=globalThis.hit=1>",
    "<svg onload=globalThis.hit=1>",
    "<svg><script>globalThis.hit=1</script></svg>",
    "<body onload=globalThis.hit=1>",
    "<iframe src=\"javascript:parent.hit=1\"></iframe>",
    "<iframe srcdoc=\"<script>parent.hit=1</script>\"></iframe>",
    "<a href=\"javascript:globalThis.hit=1\">x</a>",
    "<details open ontoggle=globalThis.hit=1>",
    "<video><source onerror=globalThis.hit=1>",
    "<audio src=x onerror=globalThis.hit=1>",
    "<input autofocus onfocus=globalThis.hit=1>",
    "<marquee onstart=globalThis.hit=1>",
    "<object data=\"javascript:globalThis.hit=1\">",
    "<embed src=\"javascript:globalThis.hit=1\">",
    "<math><mtext></mtext><mglyph><style><img src onerror=globalThis.hit=1>",
    "<form action=\"javascript:globalThis.hit=1\"><button>x",
    "<link rel=stylesheet href=\"http://example.invalid/x.css\">",
    "<meta http-equiv=refresh content=\"0;url=http://example.invalid/\">",
    "<base href=\"http://example.invalid/\">",
    "<style>*{background:url(http://example.invalid/x)}</style>",
    "<template><script>globalThis.hit=1</script></template>",
    "<noscript><img src=x onerror=globalThis.hit=1></noscript>",
    "\"><script>globalThis.hit=1</script>",
    "'><img src=x onerror=globalThis.hit=1>",
    "</title><script>globalThis.hit=1</script>",
    "</textarea><script>globalThis.hit=1</script>",
    "</script><script>globalThis.hit=1</script>",
    "--><script>globalThis.hit=1</script>",
    "]]><script>globalThis.hit=1</script>",
    "javascript:globalThis.hit=1",
    "{{constructor.constructor('globalThis.hit=1')()}}",
    "${globalThis.hit=1}",
    "`;globalThis.hit=1;`",
    "');globalThis.hit=1;('",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "\xe2\x80\xaegpj.exe\xe2\x80\xac",
    "\xe2\x81\xa6isolate\xe2\x81\xa9 \xe2\x80\x8bzero \xef\xbb\xbf",
    "line one\nline two\r\xe2\x80\xa8line three\xe2\x80\xa9",
    "\xc2\x9b"
    "31mC1 \xff\xfe broken UTF-8 \xed\xa0\x80",
};

void big(int spans) {
  const auto root = tracer.scoped_span("big.root", {{"spans", spans}});
  for (int i = 1; i < spans;) {
    const auto step = tracer.scoped_span("big.step", {{"i", i}});
    ++i;
    for (int k = 0; k < kChildren && i < spans; ++k, ++i) {
      const auto leaf = tracer.scoped_span("big.leaf", {{"i", i}});
      if (i % 997 == 0) leaf->set_error("every 997th");
    }
    // Slower than the engine drains: nothing of a trace that is to be whole may be overwritten.
    if (i % 2000 < kChildren + 1) std::this_thread::sleep_for(40ms);
  }
}

void hostile() {
  const auto root = tracer.scoped_span("hostile.root");
  for (const char* payload : kPayloads) {
    const std::string longest = payload + std::string(10'000, 'x');
    const std::string_view text = payload;
    // A name with a control character is refused, as it should be.
    const bool can_be_a_name = text.find_first_of("\n\r\x1b\x07") == text.npos && text.front() >= ' ';
    const auto span = tracer.scoped_span(tel::SpanName::runtime(can_be_a_name ? text : "hostile.span"),
                                         {{"value", payload}, {"long", longest}, {"n", 1}});
    span->add_event("hostile.event", {{"value", payload}});
    span->set_error(payload);
    tel::log_warn("hostile.line", {{"value", payload}});
  }
}

void pulse(int count, std::chrono::milliseconds every) {
  for (int i = 0; i < count; ++i) {
    const auto span = tracer.scoped_span("session.establish", {{"peer", i % 2 == 0 ? "AA-17" : "BB-02"}});
    establishment.record(0.65s);
    std::this_thread::sleep_for(every);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto status =
      tel::start({.resource = {.service_name = "page-data"}, .home = argv[1], .sampler = tel::Sampler::always_on()});
  if (!status.ok()) return 3;
  const std::string_view what = argv[2];
  if (what == "big" && argc == 4) big(std::atoi(argv[3]));
  else if (what == "hostile") hostile();
  else if (what == "pulse" && argc == 5) pulse(std::atoi(argv[3]), std::chrono::milliseconds(std::atoi(argv[4])));
  else return 2;
  return tel::flush(10s).ok() ? 0 : 4;
}
