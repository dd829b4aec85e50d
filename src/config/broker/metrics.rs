//! Metrics and telemetry: one row per setting.

macro_rules! metrics_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// Plug-ins that pass measurements on.
            "metric.reporters" metric_reporters: Vec<String> = list(&["org.apache.kafka.common.metrics.JmxReporter"]), Any, ClusterWide, Accepted;
            /// Over how many windows a rate is measured.
            "metrics.num.samples" metrics_num_samples: i32 = 2, AtLeast(1), ReadOnly, Accepted;
            /// How long one window of a measurement is.
            "metrics.sample.window.ms" metrics_sample_window_ms: i64 = 30_000, AtLeast(1), ReadOnly, Accepted;
            /// How much is measured: INFO, DEBUG or TRACE.
            "metrics.recording.level" metrics_recording_level: RecordingLevel = RecordingLevel::Info, Any, ReadOnly, Accepted;
            /// Whether measurements are shown over JMX unasked.
            "auto.include.jmx.reporter" auto_include_jmx_reporter: bool = true, Any, ReadOnly, Accepted;
            /// Plug-ins that pass on measurements of Kafka's older kind.
            "kafka.metrics.reporters" kafka_metrics_reporters: Vec<String> = list(&[]), Any, ReadOnly, Accepted;
            /// How often plug-ins of the older kind look, in seconds.
            "kafka.metrics.polling.interval.secs" kafka_metrics_polling_interval_secs: i32 = 10, AtLeast(1), ReadOnly, Accepted;
            /// The largest set of measurements that a client may push.
            "telemetry.max.bytes" telemetry_max_bytes: i32 = 1_048_576, AtLeast(1), ReadOnly, Accepted;
        }
    };
}
