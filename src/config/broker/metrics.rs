//! Metrics and telemetry: one row per setting.

macro_rules! metrics_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Metrics plug-ins.
            "metric.reporters" metric_reporters: Vec<String> = list(&["org.apache.kafka.common.metrics.JmxReporter"]), Any, ClusterWide, Accepted;
            /// Metric samples.
            "metrics.num.samples" metrics_num_samples: i32 = 2, AtLeast(1), ReadOnly, Accepted;
            /// Metric window.
            "metrics.sample.window.ms" metrics_sample_window_ms: i64 = 30_000, AtLeast(1), ReadOnly, Accepted;
            /// Metric detail.
            "metrics.recording.level" metrics_recording_level: RecordingLevel = RecordingLevel::Info, Any, ReadOnly, Accepted;
            /// Add JMX reporter automatically.
            "auto.include.jmx.reporter" auto_include_jmx_reporter: bool = true, Any, ReadOnly, Accepted;
            /// Yammer reporters.
            "kafka.metrics.reporters" kafka_metrics_reporters: Vec<String> = list(&[]), Any, ReadOnly, Accepted;
            /// Yammer polling.
            "kafka.metrics.polling.interval.secs" kafka_metrics_polling_interval_secs: i32 = 10, AtLeast(1), ReadOnly, Accepted;
            /// Largest PushTelemetry payload.
            "telemetry.max.bytes" telemetry_max_bytes: i32 = 1_048_576, AtLeast(1), ReadOnly, Accepted;
        }
    };
}
