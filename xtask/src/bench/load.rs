//! The load: keep-alive connections on loopback, each with one request in flight, one thread each.
//!
//! Raw latencies, no correction for omission: it is a closed loop, so p50 at many connections is about their number over the rate.
//! Any answer that is not 200 or does not hold what it must ends the run: an error is not a fast answer.

use super::engine::Cart;
use crate::run::{Error, Outcome};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What is asked, of whichever side.
pub(super) struct Load<'a> {
    pub(super) connections: usize,
    /// Capture batches of these carts; without them, page views of visitors who have none.
    pub(super) carts: Option<&'a [Cart]>,
}

/// Who is asked.
pub(super) struct Side {
    pub(super) port: u16,
    /// Every answer holds this text.
    pub(super) proof: &'static str,
}

/// What one run saw.
pub(super) struct Seen {
    /// Microseconds, sorted.
    latencies: Vec<u32>,
    /// Connections that the server closed unread.
    pub(super) stalls: u32,
    pub(super) elapsed_s: f64,
}

impl Seen {
    pub(super) fn requests(&self) -> u32 {
        u32::try_from(self.latencies.len()).unwrap_or(u32::MAX)
    }

    /// Nearest rank.
    pub(super) fn percentile(&self, percent: usize) -> u32 {
        let rank = (self.latencies.len() * percent).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied().unwrap_or(0)
    }
}

impl Load<'_> {
    /// Asks for so long.
    pub(super) fn run(&self, side: &Side, span: Duration) -> Outcome<Seen> {
        let started = Instant::now();
        let until = started + span;
        let answers: Vec<Outcome<Seen>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|n| {
                    let requests = self.requests_of(n, side.port);
                    scope.spawn(move || one_connection(side, requests, until))
                })
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().unwrap_or_else(|_| Err(Error::new("a connection's thread panicked"))))
                .collect()
        });
        let mut all = Seen { latencies: Vec::new(), stalls: 0, elapsed_s: started.elapsed().as_secs_f64() };
        for answer in answers {
            let answer = answer?;
            all.latencies.extend(answer.latencies);
            all.stalls += answer.stalls;
        }
        if all.latencies.is_empty() {
            return Err(Error::new("not one request was answered"));
        }
        all.latencies.sort_unstable();
        Ok(all)
    }

    /// A connection's share of the carts, in turns; a cart is never asked by two at once.
    fn requests_of(&self, connection: usize, port: u16) -> Vec<Request> {
        match self.carts {
            None => vec![Request::visit(port)],
            Some(carts) => carts
                .iter()
                .skip(connection)
                .step_by(self.connections)
                .map(|cart| Request::batch(port, cart))
                .collect(),
        }
    }
}

/// A whole request as bytes; only event ids and times differ from one sending to the next, and both have a fixed width.
struct Request {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    times: Vec<usize>,
}

const ID_MARK: &str = "@@@@@@@@@@@@@@@@@@@@@@";
const TIME_MARK: &str = "1000000000000";

impl Request {
    /// A page view, an item looked at, put in, the cart looked at, the page left: a kilobyte, as the SDK sends it.
    fn batch(port: u16, cart: &Cart) -> Self {
        let item = "{\"item_id\":\"harbour-mug\",\"item_variant\":\"250 ml / Tide\",\"item_name\":\"Harbour mug\",\"price\":24,\"quantity\":1}";
        let second = "{\"item_id\":\"quay-espresso\",\"item_variant\":\"Oat\",\"item_name\":\"Quay espresso cups\",\"price\":29,\"quantity\":2}";
        let events = [
            ("page_view", "{}".to_owned()),
            (
                "view_item",
                format!("{{\"currency\":\"EUR\",\"value\":24,\"items\":[{item}],\"dwell_ms\":4200}}"),
            ),
            ("add_to_cart", format!("{{\"currency\":\"EUR\",\"value\":24,\"items\":[{item}]}}")),
            ("view_cart", format!("{{\"currency\":\"EUR\",\"value\":82,\"items\":[{item},{second}]}}")),
            ("page_hide", "{}".to_owned()),
        ];
        Self::of(port, &format!("\"{}\"", cart.id), &cart.cookie, &events)
    }

    /// The first page of a browser that knows us not: a visitor, no cart.
    fn visit(port: u16) -> Self {
        let visitor = "cb_vis=vis_0000000000000000000000";
        Self::of(port, "null", visitor, &[("page_view", "{}".to_owned())])
    }

    fn of(port: u16, cart: &str, cookie: &str, events: &[(&str, String)]) -> Self {
        let events: Vec<String> = events
            .iter()
            .map(|(name, data)| {
                format!("{{\"id\":\"evt_{ID_MARK}\",\"t\":{TIME_MARK},\"name\":\"{name}\",\"data\":{data}}}")
            })
            .collect();
        let body = format!(
            "{{\"v\":1,\"pk\":\"pk_demo\",\"cart\":{cart},\"page\":{{\"url\":\"http://127.0.0.1:{port}/\",\"locale\":\"en-GB\",\
             \"tz\":\"Europe/Berlin\",\"mobile\":false}},\"consent\":{{\"storage\":true,\"marketing\":false,\"profiling\":true,\
             \"wording\":\"2026-11\"}},\"automated\":false,\"events\":[{}]}}",
            events.join(",")
        );
        // Both sides are told the host of ours: a floor does not look, and the bytes are the same.
        let text = format!(
            "POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n\
             referer: http://127.0.0.1:{port}/\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/142.0.0.0 Safari/537.36\r\naccept: */*\r\naccept-language: en-GB,en;q=0.9\r\naccept-encoding: gzip, br\r\n\
             cf-connecting-ip: 203.0.113.7\r\ncontent-type: text/plain;charset=UTF-8\r\ncookie: {cookie}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let places = |mark| text.match_indices(mark).map(|(place, _)| place).collect();
        Self { ids: places(ID_MARK), times: places(TIME_MARK), bytes: text.into_bytes() }
    }

    /// Ids that no run of this program sent before, and the time now.
    fn renew(&mut self) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = format!("{now:013}");
        for &place in &self.times {
            overwrite(&mut self.bytes, place, now.as_bytes());
        }
        for &place in &self.ids {
            let id = format!("{:022}", NEXT.fetch_add(1, Ordering::Relaxed));
            overwrite(&mut self.bytes, place, id.as_bytes());
        }
    }
}

fn overwrite(bytes: &mut [u8], place: usize, with: &[u8]) {
    if let Some(part) = bytes.get_mut(place..place + with.len()) {
        part.copy_from_slice(with);
    }
}

fn connect(side: &Side) -> Outcome<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", side.port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

fn one_connection(side: &Side, mut requests: Vec<Request>, until: Instant) -> Outcome<Seen> {
    let mut stream = connect(side)?;
    let mut seen = Seen { latencies: Vec::with_capacity(1 << 14), stalls: 0, elapsed_s: 0.0 };
    let mut buffer = Vec::with_capacity(1 << 13);
    loop {
        for request in &mut requests {
            if Instant::now() >= until {
                return Ok(seen);
            }
            request.renew();
            let started = Instant::now();
            if !ask(&mut stream, request, &mut buffer)? {
                // Closed without a word: the engine drops a connection that it did not get to read for five seconds, which
                // happens to one of many on a full machine. The request is repeated, as HTTP asks of clients, and its time counts.
                seen.stalls += 1;
                stream = connect(side)?;
                if !ask(&mut stream, request, &mut buffer)? {
                    return Err(Error::new("the server closed two connections in a row"));
                }
            }
            let body = body_of(&buffer)?;
            seen.latencies.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
            if !contains(body, side.proof.as_bytes()) {
                let body = String::from_utf8_lossy(body);
                return Err(Error::new(format!("an answer without `{}`: {body}", side.proof)));
            }
        }
    }
}

/// Sends a request and reads its whole answer; `false` if the server closed the connection before the first byte.
fn ask(stream: &mut TcpStream, request: &Request, buffer: &mut Vec<u8>) -> Outcome<bool> {
    buffer.clear();
    if stream.write_all(&request.bytes).is_err() {
        return Ok(false);
    }
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) if buffer.is_empty() => return Ok(false),
            Err(error) if buffer.is_empty() && error.kind() == ErrorKind::ConnectionReset => {
                return Ok(false);
            }
            Ok(0) => return Err(Error::new("the server closed a connection in the middle of an answer")),
            Ok(read) => buffer.extend_from_slice(part.get(..read).unwrap_or_default()),
            Err(error) => return Err(error.into()),
        }
        if let Some((end, length)) = measure(buffer)?
            && buffer.len() >= end + length
        {
            return Ok(true);
        }
    }
}

/// Where the body begins and how long it is, once the head is complete.
fn measure(answer: &[u8]) -> Outcome<Option<(usize, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default());
    let length = content_length(&head);
    let length = length.ok_or_else(|| Error::new(format!("an answer without content-length:\n{head}")))?;
    Ok(Some((end, length)))
}

/// The body of a whole answer, which must be 200.
fn body_of(answer: &[u8]) -> Outcome<&[u8]> {
    match measure(answer)? {
        Some((end, _)) if answer.starts_with(b"HTTP/1.1 200 ") => Ok(answer.get(end..).unwrap_or_default()),
        _ => Err(Error::new(format!("not 200:\n{}", String::from_utf8_lossy(answer)))),
    }
}

fn content_length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|part| part == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Request {
        let cart = Cart { id: format!("cart_{}", "b".repeat(22)), cookie: String::new() };
        Request::batch(8787, &cart)
    }

    #[test]
    fn a_batch_is_a_kilobyte_of_five_events_with_new_ids_each_time() {
        let mut request = batch();
        request.renew();
        let first = String::from_utf8(request.bytes.clone()).unwrap();
        request.renew();
        let second = String::from_utf8(request.bytes.clone()).unwrap();
        let (head, body) = first.split_once("\r\n\r\n").unwrap();
        assert_eq!(content_length(head), Some(body.len()));
        assert!((1_000..1_400).contains(&body.len()), "{}", body.len());
        let ids = |text: &str| {
            let body: serde_json::Value =
                serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
            let events = body["events"].as_array().unwrap().clone();
            events
                .iter()
                .map(|e| e["id"].as_str().unwrap().to_owned())
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(ids(&first).len(), 5);
        assert!(ids(&first).is_disjoint(&ids(&second)));
    }

    #[test]
    fn carts_are_dealt_out_without_rest_or_double() {
        let carts: Vec<Cart> =
            (0..64).map(|n| Cart { id: format!("cart_{n}"), cookie: String::new() }).collect();
        let load = Load { connections: 32, carts: Some(&carts) };
        let dealt: usize = (0..32).map(|n| load.requests_of(n, 1).len()).sum();
        assert_eq!(dealt, 64);
    }

    #[test]
    fn percentiles_are_by_rank() {
        let seen = Seen { latencies: (1..=200).collect(), stalls: 0, elapsed_s: 1.0 };
        assert_eq!((seen.percentile(50), seen.percentile(99), seen.percentile(100)), (100, 198, 200));
    }
}
