//! `ottla test` as a process, and what it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::client::Client;
use super::schema::Description;

pub(super) fn ottla() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.env_remove("RUST_LOG").env_remove("OTTLA_CONTROL");
    command
}

/// `ottla test`, killed when it is dropped.
pub(super) struct TestProcess {
    pub(super) child: Child,
    pub(super) bootstrap_servers: String,
    pub(super) control: String,
}

impl TestProcess {
    pub(super) fn start(args: &[&str]) -> Self {
        let mut command = ottla();
        command.arg("test").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let field = |name: &str| {
            let found = line.split_whitespace().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("no {name} in {line:?}")).to_owned()
        };
        assert!(line.starts_with("ready "), "{line:?}");
        TestProcess { bootstrap_servers: field("bootstrap.servers"), control: field("control"), child }
    }

    /// Asks the control endpoint as any HTTP client does. What is served, and every answer, is as described.
    pub(super) fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        let (status, answer) = status_and_body(&exchange(&self.control, request.as_bytes()));
        check_described(method, path, body, (status, &answer));
        (status, answer)
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", path, &body);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) fn delete(&self, path: &str) -> Value {
        let (status, answer) = self.call("DELETE", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Why a POST is refused, as status and message.
    pub(super) fn refusal(&self, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call("POST", path, &body);
        (status, answer["error"]["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Speaks Kafka's protocol with it, or with the first of its brokers.
    pub(super) fn connect(&self) -> Client {
        self.connect_to(0)
    }

    /// Speaks with one of its brokers, counted from 0.
    pub(super) fn connect_to(&self, index: usize) -> Client {
        let address = self.bootstrap_servers.split(',').nth(index).unwrap();
        Client::connect(address.parse::<SocketAddr>().unwrap())
    }

    /// The texts of a topic's records.
    pub(super) fn values(&self, topic: &str) -> Vec<String> {
        let records = self.get(&format!("/v1/topics/{topic}/records"));
        let value = |record: &Value| record["value"].as_str().unwrap().to_owned();
        records.as_array().unwrap().iter().map(value).collect()
    }

    /// Asks for the versions, the simplest of Kafka's requests; the error code of the answer.
    pub(super) fn ask_versions(&self) -> std::io::Result<i16> {
        let mut client = TcpStream::connect(&self.bootstrap_servers)?;
        client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255])?;
        let mut head = [0; 10];
        client.read_exact(&mut head)?;
        Ok(i16::from_be_bytes([head[8], head[9]]))
    }

    /// Sends one request of Kafka's, of a version that is flexible if it is a heartbeat's, and waits for its answer.
    pub(super) fn ask(&self, api: i16, version: i16, body: &[u8]) -> Vec<u8> {
        let is_flexible = api == 68;
        let mut frame =
            [&api.to_be_bytes()[..], &version.to_be_bytes(), &[0, 0, 0, 7], &text("test")].concat();
        frame.extend(is_flexible.then_some(0));
        frame.extend(body);
        let mut client = TcpStream::connect(&self.bootstrap_servers).unwrap();
        client.write_all(&u32::try_from(frame.len()).unwrap().to_be_bytes()).unwrap();
        client.write_all(&frame).unwrap();
        let mut size = [0; 4];
        client.read_exact(&mut size).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(size) as usize];
        client.read_exact(&mut answer).unwrap();
        answer
    }

    pub(super) fn ctl(&self, args: &[&str]) -> Result<Value, String> {
        let output = ottla().arg("ctl").args(["--control", &self.control]).args(args).output().unwrap();
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }
}

impl Drop for TestProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The parts of an answer of HTTP.
pub(super) fn status_and_body(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// Panics unless what was asked and answered is as the description in OpenAPI says.
pub(super) fn check_described(method: &str, path: &str, body: &Value, (status, answer): (u16, &Value)) {
    let description = Description::get();
    description
        .check_answer(method, path, status, answer)
        .unwrap_or_else(|wrong| panic!("{method} {path}: {wrong}"));
    if status == 200 && !body.is_null() {
        description
            .check_request(method, path, body)
            .unwrap_or_else(|wrong| panic!("{method} {path}: {wrong}"));
    }
}

pub(super) fn exchange(control: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(control.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A text as Kafka's older versions have it.
pub(super) fn text(text: &str) -> Vec<u8> {
    [&i16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}
