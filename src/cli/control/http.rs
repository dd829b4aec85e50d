//! As much of HTTP/1.1 as a test's control endpoint needs, for both its ends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// The most that a request's line and headers may take.
const MAX_HEAD_BYTES: u64 = 64 * 1024;

/// The largest body of a request.
const MAX_BODY_BYTES: u64 = 16 * 1024 * 1024;

/// The largest answer that is read: a full journal, or a topic's records, is longer than any request.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024 * 1024;

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path's parts, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the client may send another request on the connection.
    pub(super) keeps_alive: bool,
}

/// Why a request is not served.
#[derive(Debug)]
pub(super) enum Refusal {
    /// What came is no request that is understood.
    Malformed(&'static str),
    /// It comes from a page in a browser, which has no business here.
    Foreign,
    /// The connection broke.
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::Io(error)
    }
}

struct Head {
    first_line: String,
    body_len: u64,
    keeps_alive: bool,
    has_origin: bool,
}

/// Reads a line and the headers behind it; `None` at the end of the connection.
fn read_head(stream: &mut impl BufRead) -> Result<Option<Head>, Refusal> {
    let mut stream = stream.take(MAX_HEAD_BYTES);
    let mut first_line = String::new();
    if stream.read_line(&mut first_line)? == 0 {
        return Ok(None);
    }
    let mut head = Head { first_line, body_len: 0, keeps_alive: true, has_origin: false };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(Refusal::Malformed("the headers have no end"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some(head));
        }
        let (name, value) = line.split_once(':').ok_or(Refusal::Malformed("a header has no colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                head.body_len =
                    value.parse().map_err(|_| Refusal::Malformed("Content-Length is no number"))?;
            }
            "transfer-encoding" => return Err(Refusal::Malformed("give a body with Content-Length")),
            "connection" => head.keeps_alive = !value.eq_ignore_ascii_case("close"),
            "origin" => head.has_origin = true,
            _ => {}
        }
    }
}

/// Reads a body of this length, which takes no room before it has come.
fn read_body(stream: &mut impl BufRead, len: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if stream.take(len).read_to_end(&mut body)? as u64 != len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

impl Request {
    /// Reads the next request; `None` when the client has no more.
    pub(super) fn read(stream: &mut impl BufRead) -> Result<Option<Self>, Refusal> {
        let Some(head) = read_head(stream)? else { return Ok(None) };
        let mut words = head.first_line.split_ascii_whitespace();
        let (Some(method), Some(target), Some(_)) = (words.next(), words.next(), words.next()) else {
            return Err(Refusal::Malformed("the first line is METHOD PATH HTTP/1.1"));
        };
        if head.has_origin {
            return Err(Refusal::Foreign);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decoded = |text: &str| decode(text).ok_or(Refusal::Malformed("the path is not in UTF-8"));
        let path = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect::<Result<_, _>>()?;
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decoded(key)?, decoded(value)?));
        }
        if head.body_len > MAX_BODY_BYTES {
            return Err(Refusal::Malformed("a body has at most 16 MiB"));
        }
        let body = read_body(stream, head.body_len)?;
        let (method, keeps_alive) = (method.to_owned(), head.keeps_alive);
        Ok(Some(Request { method, path, query: pairs, body, keeps_alive }))
    }
}

/// Resolves `%2F` and `+`.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Writes what may stand in a path or a query.
fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encoded = text.bytes().map(|byte| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// A path of these parts.
pub(in crate::cli) fn path_of(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", encode(part))).collect()
}

/// A query of these pairs, with the question mark if there are any.
pub(in crate::cli) fn query_of(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> =
        pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Answers.
pub(super) fn respond(
    stream: &mut impl Write,
    status: u16,
    body: &Value,
    keeps_alive: bool,
) -> io::Result<()> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        _ => "Internal Server Error",
    };
    let body = body.to_string();
    let connection = if keeps_alive { "keep-alive" } else { "close" };
    // In one write: what is small leaves in one packet.
    let answer = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: \
         {connection}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

/// Asks a control endpoint, and gives the status and the body of its answer.
pub(in crate::cli) fn call(
    address: &str,
    method: &str,
    target: &str,
    body: Option<&Value>,
) -> io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect(address)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let invalid = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut reader = BufReader::new(stream);
    let head = match read_head(&mut reader) {
        Ok(Some(head)) => head,
        Ok(None) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Err(Refusal::Io(error)) => return Err(error),
        Err(Refusal::Malformed(what)) => return Err(invalid(what)),
        Err(Refusal::Foreign) => return Err(invalid("it is no control endpoint")),
    };
    let status = head.first_line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| invalid("the answer has no status"))?;
    if head.body_len > MAX_ANSWER_BYTES {
        return Err(invalid("the answer has more than 1 GiB"));
    }
    let body = read_body(&mut reader, head.body_len)?;
    Ok((status, serde_json::from_slice(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_path_query_and_body() {
        let bytes = b"POST /v1/topics/a%2Fb/records?api=Produce&clientId=till+4 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}rest";
        let request = Request::read(&mut &bytes[..]).unwrap().unwrap();
        assert_eq!(request.path, ["v1", "topics", "a/b", "records"]);
        let pairs: Vec<_> = request.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("api", "Produce"), ("clientId", "till 4")]);
        assert_eq!((request.body.as_slice(), request.keeps_alive), (&b"{}"[..], true));
    }

    #[test]
    fn a_page_in_a_browser_is_refused() {
        let bytes = b"POST /v1/reset HTTP/1.1\r\nOrigin: http://example.org\r\n\r\n";
        assert!(matches!(Request::read(&mut &bytes[..]), Err(Refusal::Foreign)));
    }

    #[test]
    fn what_is_no_request_is_refused_without_room_for_it() {
        for bytes in [
            &b"hello\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"GET /%ff HTTP/1.1\r\n\r\n",
            b"GET /%f HTTP/1.1\r\n\r\n",
            // A number to Rust, but not to HTTP.
            b"GET /%+1 HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\n",
        ] {
            assert!(matches!(Request::read(&mut &bytes[..]), Err(Refusal::Malformed(_))), "{bytes:?}");
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for text in ["orders", "a/b", "ä &=?%+", ""] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
    }
}
