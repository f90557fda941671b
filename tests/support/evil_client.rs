//! A scripted client on a free loopback port, as far as it is a server: it is told of sign-outs. By itself it hears
//! everything; each [`Says`] is one way to be broken or evil.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::stream;
use serde_json::Value;

use super::client::peek;
use super::server::wait_until;

/// How an address answers.
#[derive(Clone)]
pub enum Says {
    Status(u16),
    /// So late.
    Late(Duration, u16),
    /// A redirect to this address.
    Redirect(String),
    /// Never.
    Hang,
    /// 200, and a gigabyte.
    Endless,
    /// 200, and a body of which nothing comes.
    Unfinished,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Told {
    pub method: String,
    pub path: String,
    pub content_type: String,
    pub fields: Vec<(String, String)>,
}

impl Told {
    /// The logout token, the only field there is.
    #[track_caller]
    pub fn token(&self) -> &str {
        match self.fields.as_slice() {
            [(name, token)] if name == "logout_token" => token,
            other => panic!("not one logout_token: {other:?}"),
        }
    }

    /// Its claims, unverified.
    #[track_caller]
    pub fn claims(&self) -> Value {
        peek(self.token())
    }

    #[track_caller]
    pub fn claim(&self, name: &str) -> String {
        self.claims()[name].as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Default)]
struct Shared {
    /// What each path says next; the last one stays.
    script: Mutex<BTreeMap<String, VecDeque<Says>>>,
    told: Mutex<Vec<Told>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The running client; it stops when dropped.
pub struct EvilClient {
    shared: Arc<Shared>,
    port: u16,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl EvilClient {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared::default());
        let (started, ready) = std::sync::mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(web::Data::from(Arc::clone(&served))).default_service(web::to(serve))
                })
                .workers(1)
                .disable_signals()
                .shutdown_timeout(0);
                let server = server.listen(listener).expect("listens").run();
                started.send(server.handle()).expect("the test waits");
                let _ = server.await;
            });
        });
        let handle = ready.recv().expect("the client starts");
        Self { shared, port, handle, thread: Some(thread) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What a path says from now on: one after the other, the last one for ever.
    pub fn says(&self, path: &str, what: impl IntoIterator<Item = Says>) {
        lock(&self.shared.script).insert(path.to_owned(), what.into_iter().collect());
    }

    /// What came to a path so far, oldest first.
    pub fn told(&self, path: &str) -> Vec<Told> {
        lock(&self.shared.told).iter().filter(|told| told.path == path).cloned().collect()
    }

    /// Waits until so many requests have come to a path, and gives them.
    #[track_caller]
    pub fn wait_for(&self, path: &str, count: usize) -> Vec<Told> {
        wait_until(&format!("{count} requests to {path}"), || self.told(path).len() >= count);
        self.told(path)
    }

    /// Whether nothing at all has come.
    pub fn is_untouched(&self) -> bool {
        lock(&self.shared.told).is_empty()
    }
}

impl Drop for EvilClient {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(request: HttpRequest, body: Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let told = Told {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        content_type: content_type.unwrap_or_default().to_owned(),
        fields: form_urlencoded::parse(&body).into_owned().collect(),
    };
    let says = next(&mut lock(&shared.script), &told.path);
    lock(&shared.told).push(told);
    let status = |code: u16| HttpResponse::build(StatusCode::from_u16(code).expect("a status")).finish();
    match says {
        Says::Status(code) => status(code),
        Says::Late(by, code) => {
            tokio::time::sleep(by).await;
            status(code)
        }
        Says::Redirect(to) => HttpResponse::TemporaryRedirect().insert_header((LOCATION, to)).finish(),
        Says::Hang => std::future::pending().await,
        Says::Endless => {
            let piece = Bytes::from(vec![b' '; 64 * 1024]);
            let pieces = (0..16_384).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
            HttpResponse::Ok().streaming(stream::iter(pieces))
        }
        Says::Unfinished => HttpResponse::Ok().streaming(stream::pending::<Result<Bytes, std::io::Error>>()),
    }
}

fn next(script: &mut BTreeMap<String, VecDeque<Says>>, path: &str) -> Says {
    let Some(answers) = script.get_mut(path) else { return Says::Status(200) };
    let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
    next.unwrap_or(Says::Status(200))
}
