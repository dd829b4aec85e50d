//! TLS, SASL, tokens, authorization: one row per setting.

macro_rules! security_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// After how long a SASL client has to log in again; 0 is never.
            "connections.max.reauth.ms" connections_max_reauth_ms: i64 = 0, Any, PerBroker, Accepted;
            /// The plug-in that makes a principal of what is known of a connection.
            "principal.builder.class" principal_builder_class: ClassName = ClassName::new("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Any, PerBroker, Accepted;
            /// The authorizer that decides who may do what; empty lets everybody do everything. ottla's own
            /// answers to the names of Kafka's.
            "authorizer.class.name" authorizer_class_name: String = String::new(), Any, ReadOnly, Accepted;
            /// The principals who may do everything, with semicolons between them.
            "super.users" super_users: String = String::new(), Any, ReadOnly, Accepted;
            /// Whether what no rule mentions is allowed to everybody.
            "allow.everyone.if.no.acl.found" allow_everyone_if_no_acl_found: bool = false, Any, ReadOnly, Accepted;
            /// The SASL mechanisms that clients may log in with.
            "sasl.enabled.mechanisms" sasl_enabled_mechanisms: Vec<String> = list(&["GSSAPI"]), Any, PerBroker, Accepted;
            /// The SASL mechanism that brokers log in with at each other.
            "sasl.mechanism.inter.broker.protocol" sasl_mechanism_inter_broker_protocol: String = "GSSAPI".to_owned(), Any, PerBroker, Accepted;
            /// The SASL mechanism that brokers log in with at controllers.
            "sasl.mechanism.controller.protocol" sasl_mechanism_controller_protocol: String = "GSSAPI".to_owned(), Any, ReadOnly, Accepted;
            /// Who may log in, or as whom to log in, in the syntax of a JAAS entry. With a listener's and a
            /// mechanism's prefix.
            "sasl.jaas.config" sasl_jaas_config: Option<Password> = None, Any, PerBroker, Accepted;
            /// A plug-in that checks logins.
            "sasl.server.callback.handler.class" sasl_server_callback_handler_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// A plug-in that provides what a login needs.
            "sasl.client.callback.handler.class" sasl_client_callback_handler_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// A plug-in that logs in.
            "sasl.login.class" sasl_login_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// A plug-in that fetches what a login needs.
            "sasl.login.callback.handler.class" sasl_login_callback_handler_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// The largest message of somebody who has not logged in yet.
            "sasl.server.max.receive.size" sasl_server_max_receive_size: i32 = 524_288, AtLeast(1), ReadOnly, Accepted;
            /// The name that the broker has in Kerberos.
            "sasl.kerberos.service.name" sasl_kerberos_service_name: Option<String> = None, Any, PerBroker, Accepted;
            /// The program that renews Kerberos tickets.
            "sasl.kerberos.kinit.cmd" sasl_kerberos_kinit_cmd: String = "/usr/bin/kinit".to_owned(), Any, PerBroker, Accepted;
            /// The share of a ticket's life after which it is renewed.
            "sasl.kerberos.ticket.renew.window.factor" sasl_kerberos_ticket_renew_window_factor: f64 = 0.8, Any, PerBroker, Accepted;
            /// The share of the renewal time that is left to chance.
            "sasl.kerberos.ticket.renew.jitter" sasl_kerberos_ticket_renew_jitter: f64 = 0.05, Any, PerBroker, Accepted;
            /// The shortest time between two renewals of a ticket, in milliseconds.
            "sasl.kerberos.min.time.before.relogin" sasl_kerberos_min_time_before_relogin: i64 = 60_000, Any, PerBroker, Accepted;
            /// How the names of Kerberos become short names; the first rule that fits counts.
            "sasl.kerberos.principal.to.local.rules" sasl_kerberos_principal_to_local_rules: Vec<String> = list(&["DEFAULT"]), Any, PerBroker, Accepted;
            /// The share of a token's life after which it is renewed.
            "sasl.login.refresh.window.factor" sasl_login_refresh_window_factor: f64 = 0.8, Fraction(0.5, 1.0), PerBroker, Accepted;
            /// The share of the renewal time that is left to chance.
            "sasl.login.refresh.window.jitter" sasl_login_refresh_window_jitter: f64 = 0.05, Fraction(0.0, 0.25), PerBroker, Accepted;
            /// The shortest time between two renewals of a token, in seconds.
            "sasl.login.refresh.min.period.seconds" sasl_login_refresh_min_period_seconds: i16 = 60, Between(0, 900), PerBroker, Accepted;
            /// How long before its end a token is renewed at the latest, in seconds.
            "sasl.login.refresh.buffer.seconds" sasl_login_refresh_buffer_seconds: i16 = 300, Between(0, 3600), PerBroker, Accepted;
            /// Where the keys are that prove a token genuine.
            "sasl.oauthbearer.jwks.endpoint.url" sasl_oauthbearer_jwks_endpoint_url: Option<String> = None, Any, ReadOnly, Accepted;
            /// Where a token is had.
            "sasl.oauthbearer.token.endpoint.url" sasl_oauthbearer_token_endpoint_url: Option<String> = None, Any, ReadOnly, Accepted;
            /// How often the keys are fetched again.
            "sasl.oauthbearer.jwks.endpoint.refresh.ms" sasl_oauthbearer_jwks_endpoint_refresh_ms: i64 = 3_600_000, Any, ReadOnly, Accepted;
            /// The first pause after the keys could not be fetched.
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms" sasl_oauthbearer_jwks_endpoint_retry_backoff_ms: i64 = 100, Any, ReadOnly, Accepted;
            /// The longest pause after the keys could not be fetched.
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms" sasl_oauthbearer_jwks_endpoint_retry_backoff_max_ms: i64 = 10_000, Any, ReadOnly, Accepted;
            /// By how many seconds the clocks of broker and issuer may differ.
            "sasl.oauthbearer.clock.skew.seconds" sasl_oauthbearer_clock_skew_seconds: i32 = 30, Any, ReadOnly, Accepted;
            /// Whom a token must be meant for: one of these.
            "sasl.oauthbearer.expected.audience" sasl_oauthbearer_expected_audience: Option<Vec<String>> = None, Any, ReadOnly, Accepted;
            /// Who must have issued a token.
            "sasl.oauthbearer.expected.issuer" sasl_oauthbearer_expected_issuer: Option<String> = None, Any, ReadOnly, Accepted;
            /// The claim of a token that holds its scope.
            "sasl.oauthbearer.scope.claim.name" sasl_oauthbearer_scope_claim_name: String = "scope".to_owned(), Any, ReadOnly, Accepted;
            /// The claim of a token that holds the name of its owner.
            "sasl.oauthbearer.sub.claim.name" sasl_oauthbearer_sub_claim_name: String = "sub".to_owned(), Any, ReadOnly, Accepted;
            /// The key that delegation tokens are signed with, the same on all brokers; without it there are
            /// none.
            "delegation.token.secret.key" delegation_token_secret_key: Option<Password> = None, Any, ReadOnly, Accepted;
            /// The older name of `delegation.token.secret.key`.
            "delegation.token.master.key" delegation_token_master_key: Option<Password> = None, Any, ReadOnly, Accepted;
            /// How long a delegation token lives at most, however often it is renewed.
            "delegation.token.max.lifetime.ms" delegation_token_max_lifetime_ms: i64 = 604_800_000, AtLeast(1), ReadOnly, Accepted;
            /// How long a delegation token lives until it is renewed.
            "delegation.token.expiry.time.ms" delegation_token_expiry_time_ms: i64 = 86_400_000, AtLeast(1), ReadOnly, Accepted;
            /// How often delegation tokens past their time are looked for.
            "delegation.token.expiry.check.interval.ms" delegation_token_expiry_check_interval_ms: i64 = 3_600_000, AtLeast(1), ReadOnly, Accepted;
            /// Whether clients have to show a certificate: required, requested or none.
            "ssl.client.auth" ssl_client_auth: SslClientAuth = SslClientAuth::None, Any, PerBroker, Accepted;
            /// The file with the broker's key and certificate.
            "ssl.keystore.location" ssl_keystore_location: Option<String> = None, Any, PerBroker, Accepted;
            /// The password of the file with the broker's key.
            "ssl.keystore.password" ssl_keystore_password: Option<Password> = None, Any, PerBroker, Accepted;
            /// The format of the file with the broker's key: JKS, PKCS12 or PEM.
            "ssl.keystore.type" ssl_keystore_type: String = "JKS".to_owned(), Any, PerBroker, Accepted;
            /// The broker's private key itself, as PEM, in place of a file.
            "ssl.keystore.key" ssl_keystore_key: Option<Password> = None, Any, PerBroker, Accepted;
            /// The broker's certificates themselves, as PEM, in place of a file.
            "ssl.keystore.certificate.chain" ssl_keystore_certificate_chain: Option<Password> = None, Any, PerBroker, Accepted;
            /// The password of the private key.
            "ssl.key.password" ssl_key_password: Option<Password> = None, Any, PerBroker, Accepted;
            /// The file with the certificates that are trusted.
            "ssl.truststore.location" ssl_truststore_location: Option<String> = None, Any, PerBroker, Accepted;
            /// The password of the file with the trusted certificates.
            "ssl.truststore.password" ssl_truststore_password: Option<Password> = None, Any, PerBroker, Accepted;
            /// The format of the file with the trusted certificates: JKS, PKCS12 or PEM.
            "ssl.truststore.type" ssl_truststore_type: String = "JKS".to_owned(), Any, PerBroker, Accepted;
            /// The trusted certificates themselves, as PEM, in place of a file.
            "ssl.truststore.certificates" ssl_truststore_certificates: Option<Password> = None, Any, PerBroker, Accepted;
            /// The version of TLS that is used if both sides can.
            "ssl.protocol" ssl_protocol: String = "TLSv1.3".to_owned(), Any, PerBroker, Accepted;
            /// The versions of TLS that are accepted.
            "ssl.enabled.protocols" ssl_enabled_protocols: Vec<String> = list(&["TLSv1.2", "TLSv1.3"]), Any, PerBroker, Accepted;
            /// The cipher suites that are accepted; empty is every one that is safe.
            "ssl.cipher.suites" ssl_cipher_suites: Vec<String> = list(&[]), Any, PerBroker, Accepted;
            /// The Java security provider; ottla has no use for it.
            "ssl.provider" ssl_provider: Option<String> = None, Any, PerBroker, Accepted;
            /// How the name in another broker's certificate is checked; empty is not at all.
            "ssl.endpoint.identification.algorithm" ssl_endpoint_identification_algorithm: String = "https".to_owned(), Any, PerBroker, Accepted;
            /// The Java key manager; ottla has no use for it.
            "ssl.keymanager.algorithm" ssl_keymanager_algorithm: String = "SunX509".to_owned(), Any, PerBroker, Accepted;
            /// The Java trust manager; ottla has no use for it.
            "ssl.trustmanager.algorithm" ssl_trustmanager_algorithm: String = "PKIX".to_owned(), Any, PerBroker, Accepted;
            /// The Java source of chance; ottla has no use for it.
            "ssl.secure.random.implementation" ssl_secure_random_implementation: Option<String> = None, Any, PerBroker, Accepted;
            /// The Java plug-in that makes TLS engines; ottla has no use for it.
            "ssl.engine.factory.class" ssl_engine_factory_class: Option<ClassName> = None, Any, PerBroker, Accepted;
            /// How the name in a certificate becomes a principal; the first rule that fits counts.
            "ssl.principal.mapping.rules" ssl_principal_mapping_rules: String = "DEFAULT".to_owned(), Any, ReadOnly, Accepted;
            /// Whether a new certificate, put in place while the broker runs, may have another subject.
            "ssl.allow.dn.changes" ssl_allow_dn_changes: bool = false, Any, ReadOnly, Accepted;
            /// Whether a new certificate, put in place while the broker runs, may have other alternative names.
            "ssl.allow.san.changes" ssl_allow_san_changes: bool = false, Any, ReadOnly, Accepted;
            /// More Java security providers; ottla has no use for them.
            "security.providers" security_providers: Option<String> = None, Any, ReadOnly, Accepted;
        }
    };
}
