//! The demo page, compiled in, and the npm package that it loads, from a folder.

use std::io;
use std::path::{Component, Path, PathBuf};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The files of the folder `demo`, by their paths in it.
static DEMO: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// What the page may load: its own files, and sockets to wherever the reader wants to sync.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; \
    script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; \
    img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

/// A file of the demo page.
pub(crate) fn demo(path: &str) -> Response {
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    match DEMO.iter().find(|(known, _)| *known == name) {
        Some((_, bytes)) => file(name, *bytes),
        None => not_found(),
    }
}

/// A file of the folder of assets.
pub(crate) async fn asset(folder: Option<PathBuf>, path: String) -> Response {
    let Some(file_path) = folder.and_then(|folder| below(&folder, &path)) else {
        return not_found();
    };
    match tokio::task::spawn_blocking(move || std::fs::read(file_path)).await {
        Ok(Ok(bytes)) => file(&path, bytes),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => not_found(),
        Ok(Err(_)) | Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

/// `path` in `folder`, if it does not lead out of it.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let inside = Path::new(path);
    let stays = inside.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && !path.contains('\\')).then(|| folder.join(inside))
}

fn file(name: &str, bytes: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type(name)),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, bytes).into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "ts" | "md" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_does_not_lead_out_of_the_folder() {
        let folder = Path::new("/assets");
        assert_eq!(below(folder, "pkg/a.wasm"), Some(PathBuf::from("/assets/pkg/a.wasm")));
        for path in ["../secret", "pkg/../../secret", "/etc/passwd", "..", "a\\..\\b"] {
            assert_eq!(below(folder, path), None, "{path}");
        }
    }
}
