//! TLS, SASL, tokens, authorization: one row per setting.

macro_rules! security_rows {
    ($rest:tt $($done:tt)*) => {
        collect_rows! { $rest $($done)*
            /// If positive, SASL sessions must re-authenticate within min(this, credential lifetime).
            "connections.max.reauth.ms" connections_max_reauth_ms: i64 = 0, Any, PerBroker, Accepted;
            /// Maps authenticated peer to a principal.
            "principal.builder.class" principal_builder_class: ClassName = ClassName::new("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Any, PerBroker, Accepted;
            /// Authorizer; empty disables authorization.
            "authorizer.class.name" authorizer_class_name: String = String::new(), Any, ReadOnly, Accepted;
            /// Principals allowed everything.
            "super.users" super_users: String = String::new(), Any, ReadOnly, Accepted;
            /// Allow when a resource has no ACL at all.
            "allow.everyone.if.no.acl.found" allow_everyone_if_no_acl_found: bool = false, Any, ReadOnly, Accepted;
            /// Mechanisms the listener accepts.
            "sasl.enabled.mechanisms" sasl_enabled_mechanisms: Vec<String> = list(&["GSSAPI"]), Any, PerBroker, Accepted;
            /// Mechanism for inter-broker SASL.
            "sasl.mechanism.inter.broker.protocol" sasl_mechanism_inter_broker_protocol: String = "GSSAPI".to_owned(), Any, PerBroker, Accepted;
            /// Mechanism towards controllers.
            "sasl.mechanism.controller.protocol" sasl_mechanism_controller_protocol: String = "GSSAPI".to_owned(), Any, ReadOnly, Accepted;
            /// JAAS entry; broker form is listener.name.<listener>.<mechanism>.sasl.jaas.config.
            "sasl.jaas.config" sasl_jaas_config: Option<Password> = None, Any, PerBroker, Accepted;
            /// Server SASL callback handler (listener+mechanism prefix).
            "sasl.server.callback.handler.class" sasl_server_callback_handler_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// Client SASL callback handler.
            "sasl.client.callback.handler.class" sasl_client_callback_handler_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// Login implementation.
            "sasl.login.class" sasl_login_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// Login callback handler.
            "sasl.login.callback.handler.class" sasl_login_callback_handler_class: Option<ClassName> = None, Any, ReadOnly, Accepted;
            /// Largest SASL token before authentication.
            "sasl.server.max.receive.size" sasl_server_max_receive_size: i32 = 524_288, AtLeast(1), ReadOnly, Accepted;
            /// Kerberos service name.
            "sasl.kerberos.service.name" sasl_kerberos_service_name: Option<String> = None, Any, PerBroker, Accepted;
            /// kinit path.
            "sasl.kerberos.kinit.cmd" sasl_kerberos_kinit_cmd: String = "/usr/bin/kinit".to_owned(), Any, PerBroker, Accepted;
            /// Ticket refresh point.
            "sasl.kerberos.ticket.renew.window.factor" sasl_kerberos_ticket_renew_window_factor: f64 = 0.8, Any, PerBroker, Accepted;
            /// Refresh jitter.
            "sasl.kerberos.ticket.renew.jitter" sasl_kerberos_ticket_renew_jitter: f64 = 0.05, Any, PerBroker, Accepted;
            /// Minimum refresh spacing.
            "sasl.kerberos.min.time.before.relogin" sasl_kerberos_min_time_before_relogin: i64 = 60_000, Any, PerBroker, Accepted;
            /// auth_to_local rules.
            "sasl.kerberos.principal.to.local.rules" sasl_kerberos_principal_to_local_rules: Vec<String> = list(&["DEFAULT"]), Any, PerBroker, Accepted;
            /// OAuth refresh point.
            "sasl.login.refresh.window.factor" sasl_login_refresh_window_factor: f64 = 0.8, Fraction(0.5, 1.0), PerBroker, Accepted;
            /// OAuth refresh jitter.
            "sasl.login.refresh.window.jitter" sasl_login_refresh_window_jitter: f64 = 0.05, Fraction(0.0, 0.25), PerBroker, Accepted;
            /// OAuth minimum refresh spacing.
            "sasl.login.refresh.min.period.seconds" sasl_login_refresh_min_period_seconds: i16 = 60, Between(0, 900), PerBroker, Accepted;
            /// OAuth refresh buffer before expiry.
            "sasl.login.refresh.buffer.seconds" sasl_login_refresh_buffer_seconds: i16 = 300, Between(0, 3600), PerBroker, Accepted;
            /// JWKS used to verify JWTs.
            "sasl.oauthbearer.jwks.endpoint.url" sasl_oauthbearer_jwks_endpoint_url: Option<String> = None, Any, ReadOnly, Accepted;
            /// Token endpoint for client-credential logins.
            "sasl.oauthbearer.token.endpoint.url" sasl_oauthbearer_token_endpoint_url: Option<String> = None, Any, ReadOnly, Accepted;
            /// JWKS refresh.
            "sasl.oauthbearer.jwks.endpoint.refresh.ms" sasl_oauthbearer_jwks_endpoint_refresh_ms: i64 = 3_600_000, Any, ReadOnly, Accepted;
            /// JWKS retry backoff.
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms" sasl_oauthbearer_jwks_endpoint_retry_backoff_ms: i64 = 100, Any, ReadOnly, Accepted;
            /// JWKS retry cap.
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms" sasl_oauthbearer_jwks_endpoint_retry_backoff_max_ms: i64 = 10_000, Any, ReadOnly, Accepted;
            /// Tolerated clock skew.
            "sasl.oauthbearer.clock.skew.seconds" sasl_oauthbearer_clock_skew_seconds: i32 = 30, Any, ReadOnly, Accepted;
            /// Accepted aud values.
            "sasl.oauthbearer.expected.audience" sasl_oauthbearer_expected_audience: Option<Vec<String>> = None, Any, ReadOnly, Accepted;
            /// Accepted iss.
            "sasl.oauthbearer.expected.issuer" sasl_oauthbearer_expected_issuer: Option<String> = None, Any, ReadOnly, Accepted;
            /// Claim holding scope.
            "sasl.oauthbearer.scope.claim.name" sasl_oauthbearer_scope_claim_name: String = "scope".to_owned(), Any, ReadOnly, Accepted;
            /// Claim holding the principal.
            "sasl.oauthbearer.sub.claim.name" sasl_oauthbearer_sub_claim_name: String = "sub".to_owned(), Any, ReadOnly, Accepted;
            /// HMAC key of delegation tokens; must match on all brokers.
            "delegation.token.secret.key" delegation_token_secret_key: Option<Password> = None, Any, ReadOnly, Accepted;
            /// Old name.
            "delegation.token.master.key" delegation_token_master_key: Option<Password> = None, Any, ReadOnly, Accepted;
            /// Absolute token lifetime.
            "delegation.token.max.lifetime.ms" delegation_token_max_lifetime_ms: i64 = 604_800_000, AtLeast(1), ReadOnly, Accepted;
            /// Default renew period.
            "delegation.token.expiry.time.ms" delegation_token_expiry_time_ms: i64 = 86_400_000, AtLeast(1), ReadOnly, Accepted;
            /// Expired token scan.
            "delegation.token.expiry.check.interval.ms" delegation_token_expiry_check_interval_ms: i64 = 3_600_000, AtLeast(1), ReadOnly, Accepted;
            /// required, requested or none.
            "ssl.client.auth" ssl_client_auth: SslClientAuth = SslClientAuth::None, Any, PerBroker, Accepted;
            /// Key store.
            "ssl.keystore.location" ssl_keystore_location: Option<String> = None, Any, PerBroker, Accepted;
            /// Key store password.
            "ssl.keystore.password" ssl_keystore_password: Option<Password> = None, Any, PerBroker, Accepted;
            /// Key store format.
            "ssl.keystore.type" ssl_keystore_type: String = "JKS".to_owned(), Any, PerBroker, Accepted;
            /// Inline private key.
            "ssl.keystore.key" ssl_keystore_key: Option<Password> = None, Any, PerBroker, Accepted;
            /// Inline certificate chain.
            "ssl.keystore.certificate.chain" ssl_keystore_certificate_chain: Option<Password> = None, Any, PerBroker, Accepted;
            /// Private key password.
            "ssl.key.password" ssl_key_password: Option<Password> = None, Any, PerBroker, Accepted;
            /// Trust store.
            "ssl.truststore.location" ssl_truststore_location: Option<String> = None, Any, PerBroker, Accepted;
            /// Trust store password.
            "ssl.truststore.password" ssl_truststore_password: Option<Password> = None, Any, PerBroker, Accepted;
            /// Trust store format.
            "ssl.truststore.type" ssl_truststore_type: String = "JKS".to_owned(), Any, PerBroker, Accepted;
            /// Inline trusted certificates.
            "ssl.truststore.certificates" ssl_truststore_certificates: Option<Password> = None, Any, PerBroker, Accepted;
            /// SSLContext protocol.
            "ssl.protocol" ssl_protocol: String = "TLSv1.3".to_owned(), Any, PerBroker, Accepted;
            /// Enabled TLS versions.
            "ssl.enabled.protocols" ssl_enabled_protocols: Vec<String> = list(&["TLSv1.2", "TLSv1.3"]), Any, PerBroker, Accepted;
            /// Enabled suites; empty = all defaults.
            "ssl.cipher.suites" ssl_cipher_suites: Vec<String> = list(&[]), Any, PerBroker, Accepted;
            /// Security provider.
            "ssl.provider" ssl_provider: Option<String> = None, Any, PerBroker, Accepted;
            /// Hostname verification for outgoing connections; empty disables.
            "ssl.endpoint.identification.algorithm" ssl_endpoint_identification_algorithm: String = "https".to_owned(), Any, PerBroker, Accepted;
            /// KeyManager algorithm (JVM default).
            "ssl.keymanager.algorithm" ssl_keymanager_algorithm: String = "SunX509".to_owned(), Any, PerBroker, Accepted;
            /// TrustManager algorithm (JVM default).
            "ssl.trustmanager.algorithm" ssl_trustmanager_algorithm: String = "PKIX".to_owned(), Any, PerBroker, Accepted;
            /// SecureRandom.
            "ssl.secure.random.implementation" ssl_secure_random_implementation: Option<String> = None, Any, PerBroker, Accepted;
            /// SslEngineFactory plug-in.
            "ssl.engine.factory.class" ssl_engine_factory_class: Option<ClassName> = None, Any, PerBroker, Accepted;
            /// Distinguished-name to short-name rules.
            "ssl.principal.mapping.rules" ssl_principal_mapping_rules: String = "DEFAULT".to_owned(), Any, ReadOnly, Accepted;
            /// Allow DN change on keystore reload.
            "ssl.allow.dn.changes" ssl_allow_dn_changes: bool = false, Any, ReadOnly, Accepted;
            /// Allow SAN change on keystore reload.
            "ssl.allow.san.changes" ssl_allow_san_changes: bool = false, Any, ReadOnly, Accepted;
            /// Extra JCA providers.
            "security.providers" security_providers: Option<String> = None, Any, ReadOnly, Accepted;
        }
    };
}
