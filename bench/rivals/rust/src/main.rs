//! The rival opentelemetry-rust: the same operations as bench/record_bench.cc, under the names of the table in bench/report.py.
//! Spans and logs go through the batch processors to exporters that count and drop; a count that is not what was recorded ends the
//! program, because then the figures would be those of dropping. Metrics have a reader that nobody asks: collecting costs nothing here.
//! Usage: rival-opentelemetry-rust [SECONDS of measuring for each line, default 0.2]
mod harness;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use harness::{run, Plan};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::KeyValue;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{BatchConfigBuilder as LogBatchConfig, BatchLogProcessor, LogBatch, LogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{Aggregation, Instrument, InstrumentKind, ManualReader, SdkMeterProvider, Stream};
use opentelemetry_sdk::trace::{BatchConfigBuilder as SpanBatchConfig, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter};

const ROUTE: &str = "/api/v1/users";
const QUEUE: usize = 16_384;
const QUEUED_BLOCK: u64 = 1_024;
const BLOCK: u64 = 65_536;

#[derive(Debug, Clone, Default)]
struct Counting(Arc<AtomicU64>);

impl SpanExporter for Counting {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}
impl LogExporter for Counting {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.0.fetch_add(batch.iter().count() as u64, Ordering::SeqCst);
        Ok(())
    }
}

/// Ends the program where records were lost: what is measured must be recording.
fn check_all_arrived(what: &str, arrived: &Counting, recorded: &AtomicU64) {
    let (arrived, recorded) = (arrived.0.load(Ordering::SeqCst), recorded.load(Ordering::SeqCst));
    if arrived != recorded {
        eprintln!("{what}: {recorded} recorded, {arrived} exported");
        std::process::exit(1);
    }
}

fn metrics(seconds: f64) {
    let exponential = |i: &Instrument| {
        let aggregation = Aggregation::Base2ExponentialHistogram { max_size: 160, max_scale: 20, record_min_max: true };
        (i.kind() == InstrumentKind::Histogram).then(|| Stream::builder().with_aggregation(aggregation).build().unwrap())
    };
    let provider = SdkMeterProvider::builder().with_reader(ManualReader::builder().build()).with_view(exponential).build();
    let meter = provider.meter("bench");
    let plan = Plan { min_seconds: seconds, block: BLOCK };
    let link = [KeyValue::new("link", "wifi")];
    let requests = meter.u64_counter("bench.requests").build();
    run("CounterBound", &plan, || { let bound = requests.bind(&link); move || bound.add(1) }, || {});
    run("CounterPlain", &plan, || { let requests = requests.clone(); move || requests.add(1, &[]) }, || {});
    let busy = meter.f64_counter("bench.busy").build();
    run("CounterDoubleBound", &plan, || { let bound = busy.bind(&link); move || bound.add(0.5) }, || {});
    let labelled = meter.u64_counter("bench.labelled").build();
    let three = || {
        let labelled = labelled.clone();
        move || {
            let status = std::hint::black_box(200i64);
            labelled.add(1, &[KeyValue::new("method", "GET"), KeyValue::new("route", ROUTE), KeyValue::new("status", status)])
        }
    };
    run("CounterThreeLabels", &plan, three, || {});
    let length = meter.f64_gauge("bench.length").build();
    run("GaugeSet", &plan, || { let bound = length.bind(&link); let mut v = 1.0; move || { v += 1.0; bound.record(v) } }, || {});
    let sizes = meter.f64_histogram("bench.sizes").build();
    let record = || {
        let bound = sizes.bind(&link);
        let mut v = 100.0;
        move || {
            bound.record(v);
            v *= 1.01;
            if v > 10000.0 {
                v = 100.0;
            }
        }
    };
    run("HistogramBound", &plan, record, || {});
}

fn spans(seconds: f64) {
    let (arrived, recorded) = (Counting::default(), AtomicU64::new(0));
    let config = SpanBatchConfig::default().with_max_queue_size(QUEUE).with_max_export_batch_size(512).build();
    let batch = BatchSpanProcessor::builder(arrived.clone()).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_span_processor(batch).build();
    let tracer = provider.tracer("bench");
    let plan = Plan { min_seconds: seconds, block: QUEUED_BLOCK };
    let settle = || provider.force_flush().unwrap();
    // The cheaper of its two ways by its own benchmarks (benches/span.rs): the span builder collects attributes in a Vec first.
    let set_later = || {
        let (mut i, tracer) = (Tally::new(&recorded), tracer.clone());
        move || {
            let mut span = tracer.start("bench.span");
            span.set_attribute(KeyValue::new("i", i.next()));
            span.set_attribute(KeyValue::new("route", ROUTE));
            span.end();
        }
    };
    run("SpanTwoAttributes", &plan, set_later, settle);
    let scoped = || {
        let (mut i, tracer) = (Tally::new(&recorded), tracer.clone());
        move || {
            tracer.in_span("bench.scoped", |context| {
                context.span().set_attribute(KeyValue::new("i", i.next()));
                context.span().set_attribute(KeyValue::new("route", ROUTE));
            })
        }
    };
    run("SpanScopedTwoAttributes", &plan, scoped, settle);
    check_all_arrived("spans", &arrived, &recorded);

    let plan = Plan { min_seconds: seconds, block: BLOCK };
    for (name, sampler) in [("SpanNotRecorded", Sampler::AlwaysOff), ("SpanNotSampled", Sampler::TraceIdRatioBased(0.0))] {
        let batch = BatchSpanProcessor::builder(Counting::default()).build();
        let tracer = SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(batch).build().tracer("bench");
        let not_sampled = || {
            let (mut i, tracer) = (0i64, tracer.clone());
            move || {
                let mut span = tracer.start("bench.span");
                i += 1;
                if span.is_recording() {
                    span.set_attribute(KeyValue::new("i", i));
                    span.set_attribute(KeyValue::new("route", ROUTE));
                }
                span.end();
            }
        };
        run(name, &plan, not_sampled, || {});
    }
}

/// Counts one thread's operations for nothing and adds them to the whole when the thread is done.
struct Tally<'a> {
    count: i64,
    whole: &'a AtomicU64,
}
impl<'a> Tally<'a> {
    fn new(whole: &'a AtomicU64) -> Self {
        Tally { count: 0, whole }
    }
    fn next(&mut self) -> i64 {
        self.count += 1;
        self.count
    }
}
impl Drop for Tally<'_> {
    fn drop(&mut self) {
        self.whole.fetch_add(self.count as u64, Ordering::SeqCst);
    }
}

fn logs(seconds: f64) {
    let (arrived, recorded) = (Counting::default(), AtomicU64::new(0));
    let config = LogBatchConfig::default().with_max_queue_size(QUEUE).with_max_export_batch_size(512).build();
    let batch = BatchLogProcessor::builder(arrived.clone()).with_batch_config(config).build();
    let provider = SdkLoggerProvider::builder().with_log_processor(batch).build();
    let logger = provider.logger("bench");
    let plan = Plan { min_seconds: seconds, block: QUEUED_BLOCK };
    let three_fields = || {
        let (mut i, logger) = (Tally::new(&recorded), logger.clone());
        move || {
            let mut record = logger.create_log_record();
            record.set_event_name("bench.log");
            record.set_severity_number(Severity::Info);
            record.set_severity_text("INFO");
            record.add_attribute("i", AnyValue::Int(i.next()));
            record.add_attribute("ratio", AnyValue::Double(0.5));
            record.add_attribute("text", AnyValue::from("abc"));
            logger.emit(record);
        }
    };
    run("LogThreeFields", &plan, three_fields, || provider.force_flush().unwrap());
    check_all_arrived("logs", &arrived, &recorded);
}

fn main() {
    let seconds = std::env::args().nth(1).map_or(0.2, |text| text.parse().expect("seconds"));
    metrics(seconds);
    spans(seconds);
    logs(seconds);
}
